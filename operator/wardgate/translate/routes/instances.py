"""A route in its place: one route of one table, reached by one way of delegation under one host of one listener.

Two parents that delegate to one table make two instances of each of its routes, with the labels and matchers of
different parents. Policies guard instances.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.api.kinds.annotations import REQUIRE_AUTH
from wardgate.ir import RouteAction, RouteMatch
from wardgate.problems import ObjectRef
from wardgate.translate.destinations.destination import Destination
from wardgate.translate.plans.table_plans import Widening
from wardgate.translate.routes.delegation_context import PLATFORM, Claim

REQUIRE_AUTH_LABEL = (REQUIRE_AUTH, "true")


@dataclass(frozen=True, slots=True)
class RouteInstance:
    """``labels`` are those of every level; ``table`` and ``index`` identify the ``spec.http`` entry.

    ``weight`` is that of the table, for the order by specificity. ``widened``: its matchers take more than was meant.
    """

    table: ObjectRef
    index: int
    name: str
    matches: tuple[RouteMatch, ...]
    action: RouteAction
    labels: frozenset[tuple[str, str]] = frozenset()
    destinations: tuple[Destination, ...] = ()
    weight: int = 0
    claim: Claim = PLATFORM
    widened: Widening = Widening.NONE

    @property
    def requires_auth(self) -> bool:
        """Whether a label at some level demands a valid ExtAuthPolicy."""
        return REQUIRE_AUTH_LABEL in self.labels

    @property
    def origin(self) -> tuple[ObjectRef, int]:
        """The route that this is an instance of: the unit of counts in statuses."""
        return (self.table, self.index)
