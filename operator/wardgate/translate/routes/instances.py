"""A route in its place: one route of one table, reached by one way of delegation under one host of one listener.

The same route of a table that two parents delegate to is two instances, with the labels and the matchers of different
parents; policies guard instances.
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
    """``labels`` are those of every level; ``table`` and ``index`` say which ``spec.http`` entry this is.

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
        """A label at some level demands a valid ExtAuthPolicy."""
        return REQUIRE_AUTH_LABEL in self.labels

    @property
    def origin(self) -> tuple[ObjectRef, int]:
        """The route that this is an instance of: what counts in a status."""
        return (self.table, self.index)
