"""One RouteTable by itself, as read from its model: independent of every other object.

Every plan here can be remembered per version of the table. The room ``routes`` resolves names of other objects, merges
matchers with the parents' and puts tables under listeners.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from wardgate.ir import DirectResponse, PrefixRewrite, Redirect, Refuse, RegexRewrite, RouteMatch
from wardgate.problems import FieldPath, ObjectRef, Problem
from wardgate.snapshot import StoredObject

Labels: TypeAlias = frozenset[tuple[str, str]]


class Widening(StrEnum):
    """The unreadable part of a matcher. A widened matcher takes more requests than was meant, so it may only close."""

    NONE = "none"
    CONDITION = "condition"
    """A condition beside the path."""
    PATH = "path"
    """The path, or all of it: the intended specificity is unknown."""


@dataclass(frozen=True, slots=True)
class MatcherPlan:
    """One ``matchers`` entry. With a ``port`` it counts only on listeners of that port."""

    match: RouteMatch
    port: int | None = None
    widened: Widening = Widening.NONE


@dataclass(frozen=True, slots=True)
class DestinationPlan:
    """One ``destinations`` entry. ``namespace`` is filled in; ``weight`` 0 takes a share of the remainder.

    ``kind_given``: the manifest names the kind; otherwise it is SERVICE by default.
    """

    kind: str
    namespace: str
    name: str
    port: int | str | None
    weight: int
    field: FieldPath
    cluster: str | None = None
    kind_given: bool = True


@dataclass(frozen=True, slots=True)
class ForwardToPlan:
    """``forwardTo``, its destinations not yet looked up."""

    destinations: tuple[DestinationPlan, ...]
    path_rewrite: PrefixRewrite | RegexRewrite | None = None
    host_rewrite: str | None = None
    auto_host_rewrite: bool = False


@dataclass(frozen=True, slots=True)
class TableSelector:
    """One ``delegate.routeTables`` entry: every given field must hold."""

    name: str | None = None
    namespace: str | None = None
    labels: Labels = frozenset()
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class RouteFilter:
    """One ``allowedRoutes`` entry: a route may stand below if it lies within one of the ``matches`` and does one of the
    ``actions`` (see ``action_name``). An empty tuple or set permits all.
    """

    matches: tuple[RouteMatch, ...] = ()
    actions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DelegatePlan:
    """``delegate``, its tables not yet looked up. ``allowed`` empty: every route."""

    selectors: tuple[TableSelector, ...]
    allowed: tuple[RouteFilter, ...] = ()
    by_specificity: bool = False


ActionPlan: TypeAlias = ForwardToPlan | DelegatePlan | Redirect | DirectResponse | Refuse

_ACTION_NAMES: Final[dict[type[object], str]] = {
    ForwardToPlan: "forwardto",
    DelegatePlan: "delegate",
    Redirect: "redirect",
    DirectResponse: "directresponse",
}


def action_name(action: ActionPlan) -> str | None:
    """The name of the action in ``allowedActions``, in lower case without underscores; None for a closed route."""
    return _ACTION_NAMES.get(type(action))


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """One ``http`` entry. Without ``matchers`` it takes every request. A bad route has the action ``Refuse``.

    ``widened`` holds for all of its matchers.
    """

    index: int
    name: str
    labels: Labels
    matchers: tuple[MatcherPlan, ...]
    action: ActionPlan
    widened: Widening = Widening.NONE


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One RouteTable. ``hosts`` empty: a child. ``admits``: the tenants whose tables may delegate to this one.

    ``blind``: a matcher, or a part beside the routes, could not be read; a last good form is to be preferred.
    ``for_mesh``: it selects workloads.
    """

    stored: StoredObject
    labels: Labels
    hosts: tuple[str, ...]
    gateways: tuple[tuple[str, str], ...]
    weight: int
    freezes: bool
    routes: tuple[RoutePlan, ...]
    admits: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    blind: bool = False
    for_mesh: bool = False

    @property
    def ref(self) -> ObjectRef:
        """The RouteTable."""
        return self.stored.ref

    @property
    def order(self) -> tuple[int, str, str, str]:
        """Sort key among siblings: the greater weight first, then the older."""
        return (-self.weight, *self.stored.age_key)
