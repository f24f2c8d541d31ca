"""The context in which a table is expanded: its inheritance from the levels above, and the owner who answers for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from wardgate.ir import RouteMatch
from wardgate.problems import ObjectRef
from wardgate.translate.matching.path_literals import given_length
from wardgate.translate.plans.table_plans import Labels, RouteFilter, RoutePlan, TablePlan
from wardgate.translate.tenancy import Tenancy

Age: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """The owner of a route's paths, and the time since when: under isolated tenancy this decides between owners.

    ``owner`` is the tenant by whose delegation the route is reached, or empty for the platform. ``given`` is the length
    of the path that the platform gave the tenant. ``age`` is that of the youngest table on the way from there.
    """

    owner: str = ""
    given: int = 0
    age: Age = ("", "", "")


PLATFORM: Final = Claim()


@dataclass(frozen=True, slots=True)
class DelegationContext:
    """The inheritance of a table. ``allowed`` holds the filters of every level; a route has to pass all of them.

    ``shared_labels`` are the ``labels`` that the platform gave: they reach routes of every owner. ``bounds`` not None:
    another owner delegated to the table, and its matchers lie within these or are closed. ``liable``: the tenant's
    route by which the chain came back to the platform, if it did.
    """

    port: int
    gateway: ObjectRef | None = None
    matches: tuple[RouteMatch, ...] = ()
    labels: Labels = frozenset()
    shared_labels: Labels = frozenset()
    chain: tuple[ObjectRef, ...] = ()
    allowed: tuple[tuple[RouteFilter, ...], ...] = ()
    claim: Claim = PLATFORM
    bounds: tuple[RouteMatch, ...] | None = None
    liable: tuple[ObjectRef, RoutePlan] | None = None


@dataclass(frozen=True, slots=True)
class OwnerBoundaries:
    """Passes the context from owner to owner. Under shared tenancy there is one owner, and everything is inherited."""

    tenancy: Tenancy

    def owner(self, table: TablePlan) -> str:
        """See ``Tenancy.owner``."""
        return self.tenancy.owner(table.ref.namespace)

    def root(self, table: TablePlan, context: DelegationContext) -> DelegationContext:
        """The context of a root table."""
        return replace(context, claim=Claim(self.owner(table)))

    def entered(self, table: TablePlan, context: DelegationContext) -> DelegationContext:
        """The context of a table's routes."""
        age = max(context.claim.age, table.stored.age_key)
        labelled = self.labelled(table, table.labels, context=context)
        return replace(labelled, chain=(*context.chain, table.ref), claim=replace(context.claim, age=age))

    def labelled(self, table: TablePlan, labels: Labels, *, context: DelegationContext) -> DelegationContext:
        """The same context with more labels."""
        shared = frozenset() if self.owner(table) else labels
        return replace(context, labels=context.labels | labels, shared_labels=context.shared_labels | shared)

    def below(
        self, table: TablePlan, route: RoutePlan, *, child: TablePlan, inner: DelegationContext
    ) -> DelegationContext:
        """The context that a child inherits from a route. Another owner's child gets only the platform's labels."""
        owner, heir = self.owner(table), self.owner(child)
        if owner == heir:
            return replace(inner, bounds=None)
        if owner or inner.liable is not None:
            liable = inner.liable or (table.ref, route)
            return replace(inner, labels=inner.shared_labels, bounds=None, liable=liable)
        claim = Claim(heir, given_length(inner.matches))
        return replace(inner, labels=inner.shared_labels, bounds=inner.matches, claim=claim)
