"""Routes without an ExtAuthPolicy whose owner should know: closed because one is demanded, or open by a likely mistake.

A route that nobody guards is open, and most such routes are meant to be. A mistake is likely where a label is nearly
one that a policy selects, and no policy selects it as it is. Names alone are compared, so this is told and decides
nothing. Under isolated tenancy nobody is told the labels and names of another owner's policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.api.kinds.annotations import REQUIRE_AUTH
from wardgate.problems import Cause, ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.policies.auth_attachment import AUTH_REQUIRED, AuthAttachment
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.near_labels import Label, is_near, text
from wardgate.translate.selection.policy_selectors import RouteCriteria, read_selectors
from wardgate.translate.tenancy import Tenancy

_COMPARED_AT_MOST: Final = 100
"""Labels of policies that one label of a route is compared with."""


def closed_for_want_of_policy(
    instances: Sequence[RouteInstance], auth: AuthAttachment, *, knows_policies: bool
) -> Iterator[Problem]:
    """A warning for each table with routes that are closed because no policy selects them.

    ``knows_policies``: the cluster has the kind ExtAuthPolicy.
    """
    tables: dict[ObjectRef, dict[int, RouteInstance]] = {}
    for number, refusal in auth.closed.items():
        if refusal == AUTH_REQUIRED:
            tables.setdefault(instances[number].table, {})[instances[number].index] = instances[number]
    for table, routes in tables.items():
        first = routes[min(routes)]
        if not knows_policies:
            demand = "and the cluster has no CRD of that kind. Install it."
        elif all(one.requires_auth for one in routes.values()):
            demand = f"which the label {REQUIRE_AUTH} demands. Have a policy select the route."
        else:
            demand = "which this installation demands (requireAuth). Have a policy select the labels of the route."
        message = (
            f"{_routes(first, table, more=len(routes) - 1)} closed (401) for want of a valid ExtAuthPolicy, {demand}"
        )
        yield Problem(ProblemKind.WARNING, Reason.UNGUARDED, message, table, ("spec", "http", first.index))


@dataclass(frozen=True, slots=True)
class _Known:
    """A label that an ExtAuthPolicy selects."""

    label: Label
    policy: ObjectRef


class MisspeltLabels:
    """Finds open routes that a policy was likely meant to select. ``policies``: all that select routes."""

    def __init__(self, policies: Iterable[StoredObject], *, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._selected = set[Label]()
        self._by_name: dict[str, list[_Known]] = {}
        self._by_value: dict[str, list[_Known]] = {}
        self._compared: dict[tuple[Label, str], _Known | None] = {}
        for policy in policies:
            for label in sorted(_labels(policy)):
                self._selected.add(label)
                if policy.ref.kind == "ExtAuthPolicy":
                    known = _Known(label, policy.ref)
                    self._by_name.setdefault(label[0], []).append(known)
                    self._by_value.setdefault(label[1], []).append(known)

    def problems(self, instances: Sequence[RouteInstance], auth: AuthAttachment) -> Iterator[Problem]:
        """A warning for each such route."""
        told = set[tuple[ObjectRef, int]]()
        for number, instance in enumerate(instances):
            if number in auth.owners or number in auth.closed or instance.origin in told:
                continue
            for label in sorted(instance.labels - self._selected):
                known = self._meant(label, namespace=instance.table.namespace)
                if known is not None:
                    told.add(instance.origin)
                    yield self._problem(instance, label, known=known, idle=not auth.selected.get(known.policy))
                    break

    def _meant(self, label: Label, *, namespace: str) -> _Known | None:
        """The label of a policy that is nearly this one; many routes carry the same labels."""
        asked = (label, namespace if self._tenancy.isolated else "")
        if asked not in self._compared:
            self._compared[asked] = next(self._near(label, namespace), None)
        return self._compared[asked]

    def _near(self, label: Label, namespace: str) -> Iterator[_Known]:
        for alike in (self._by_name.get(label[0], ()), self._by_value.get(label[1], ())):
            for known in alike[:_COMPARED_AT_MOST]:
                if self._tenancy.selectable(known.policy.namespace) in (None, namespace) and is_near(
                    label, known.label
                ):
                    yield known

    def _problem(self, instance: RouteInstance, label: Label, *, known: _Known, idle: bool) -> Problem:
        """``idle``: the policy selects no route at all, so the mistake may be its own."""
        owner = self._tenancy.owner(instance.table.namespace)
        other = "the platform selects nearly the same"
        if owner == self._tenancy.owner(known.policy.namespace):
            other = f"{known.policy} selects {text(known.label)}"
        message = (
            f'Route "{instance.name}" of {instance.table} is open: no ExtAuthPolicy selects it. No policy selects its '
            f"label {text(label)}, and {other}. Correct the label, or remove it if the route is meant to be open."
        )
        field = ("spec", "http", instance.index)
        cause = Cause(known.policy, ("spec", "applyToRoutes")) if idle else None
        return Problem(ProblemKind.WARNING, Reason.UNGUARDED, message, instance.table, field, cause)


def _labels(policy: StoredObject) -> Iterator[Label]:
    for selector in read_selectors(policy.manifest).routes:
        if isinstance(selector, RouteCriteria):
            yield from selector.labels


def _routes(first: RouteInstance, table: ObjectRef, *, more: int) -> str:
    return f'Route "{first.name}" of {table}{f" and {more} more are" if more else " is"}'
