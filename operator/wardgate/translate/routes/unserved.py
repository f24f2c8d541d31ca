"""Tables that no request reaches, and the table to mend for each.

The reason why a table stands under no gateway is told elsewhere: its root names a gateway that does not exist, or the
route that delegates to it is closed. Telling such a table that nobody delegates to it, or a policy for its routes that
its labels are wrong, would send the reader to the wrong object.

Rule 1: a root that no gateway serves is the origin for all tables that only such roots reach, the first of them.
Rule 2: a table without hosts that no root reaches has its origin at the route that delegates to it. A route that could
not be read counts as far as its selectors can be.
Rule 3: a table to which nothing delegates is an origin of its own, and told so.
Rule 4: a root that names no gateway and selects workloads is meant for a mesh. Nothing is to be mended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.manifests import at, items, mapping
from wardgate.translate.plans.table_plans import DelegatePlan, TablePlan, TableSelector
from wardgate.translate.routes.delegation import Delegation
from wardgate.translate.routes.delegation_context import DelegationContext
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.table_index import TableIndex

_HOSTS: Final[FieldPath] = ("spec", "hosts")
_GATEWAYS: Final[FieldPath] = ("spec", "virtualGateways")


@dataclass(frozen=True, slots=True)
class Origin:
    """The table to look at, and the cause that is told there. ``by_design``: nothing is to be mended."""

    table: ObjectRef
    cause: Cause
    by_design: bool = False


@dataclass(frozen=True, slots=True)
class IdleRoute:
    """A route that takes no request."""

    instance: RouteInstance
    origin: Origin


@dataclass(slots=True)
class Unserved:
    """``origins`` by table. ``routes`` may be those that an idle policy means."""

    origins: dict[ObjectRef, Origin] = field(default_factory=dict)
    routes: list[IdleRoute] = field(default_factory=list)

    def problems(self) -> Iterator[Problem]:
        """The problems that the tables themselves are told. A root was told when it was read or attached."""
        for ref, origin in self.origins.items():
            if origin.table != ref:
                text = f"{ref} serves nothing, because no request reaches {origin.table}, which delegates to it."
                kind = ProblemKind.NOTE if origin.by_design else ProblemKind.WARNING
                yield Problem(kind, Reason.NOT_SERVED, text, ref, cause=origin.cause)
            elif origin.cause.field == _HOSTS:
                text = (
                    f"{ref} has no hosts and no table with hosts delegates to it, so it serves nothing. Delegate to "
                    "it, or give it hosts and virtualGateways."
                )
                yield Problem(ProblemKind.WARNING, Reason.NOT_SERVED, text, ref, _HOSTS)


def find_unserved(
    tables: Sequence[TablePlan],
    delegation: Delegation,
    *,
    index: Callable[[], TableIndex],
    served: Collection[ObjectRef],
) -> Unserved:
    """Expand every table that is not ``served``, so that it is checked like the rest. ``tables`` are sorted by age."""
    rest = [table for table in tables if table.ref not in served]
    search = _Search(delegation, frozenset(served))
    for table in rest:
        if table.hosts:
            by_design = table.for_mesh and not table.gateways
            search.below(table, Origin(table.ref, Cause(table.ref, _GATEWAYS), by_design))
    orphans = [table for table in rest if table.ref not in search.found.origins]
    parents = _parents(tables, index()) if orphans else {}
    for table in sorted(orphans, key=lambda one: one.ref in parents):
        if table.ref not in search.found.origins:
            search.below(table, _origin(table.ref, parents, found=search.found, served=served))
    search.found.routes += [_dead(instance) for instance in delegation.dead]
    return search.found


@dataclass(slots=True)
class _Search:
    delegation: Delegation
    served: frozenset[ObjectRef]
    found: Unserved = field(default_factory=Unserved)

    def below(self, table: TablePlan, origin: Origin) -> None:
        """Expand a table, and give it and all tables that only unserved ones reach this origin."""
        reached = self.delegation.reached
        before = len(reached)
        instances = self.delegation.expand(table, DelegationContext(port=0))
        # A mapping keeps its order: the tables met first just now stand at its end.
        for ref in (table.ref, *islice(reversed(reached), len(reached) - before)):
            if ref not in self.served:
                self.found.origins.setdefault(ref, origin)
        self.found.routes += [IdleRoute(instance, origin) for instance in instances]


def _origin(
    ref: ObjectRef,
    parents: Mapping[ObjectRef, tuple[ObjectRef, int]],
    *,
    found: Unserved,
    served: Collection[ObjectRef],
) -> Origin:
    """The origin of an orphan. In a circle of tables that no root enters, each is as good an origin as the others."""
    parent, index = parents.get(ref, (ref, 0))
    if parent in served:
        return Origin(parent, Cause(parent, ("spec", "http", index)))
    return found.origins.get(parent) or Origin(ref, Cause(ref, _HOSTS))


def _dead(instance: RouteInstance) -> IdleRoute:
    return IdleRoute(instance, Origin(instance.table, Cause(instance.table, ("spec", "http", instance.index))))


def _parents(tables: Sequence[TablePlan], index: TableIndex) -> dict[ObjectRef, tuple[ObjectRef, int]]:
    """The first route that delegates to each table, even a closed one."""
    found: dict[ObjectRef, tuple[ObjectRef, int]] = {}
    for table in tables:
        for number, delegate in _delegations(table):
            for child in index.below(table, delegate)[0]:
                found.setdefault(child.ref, (table.ref, number))
    return found


def _delegations(table: TablePlan) -> Iterator[tuple[int, DelegatePlan]]:
    read = {route.index: route.action for route in table.routes if isinstance(route.action, DelegatePlan)}
    for number, entry in enumerate(items(at(table.stored.manifest, "spec", "http"))):
        yield number, read.get(number) or DelegatePlan(tuple(_selectors(entry)))


def _selectors(entry: object) -> Iterator[TableSelector]:
    """The selectors of a route that could not be read as a whole; one without readable fields selects nothing."""
    for one in items(at(entry, "delegate", "routeTables")):
        labels = frozenset((key, value) for key, value in mapping(at(one, "labels")).items() if isinstance(value, str))
        name, namespace = at(one, "name"), at(one, "namespace")
        selector = TableSelector(
            name if isinstance(name, str) and name else None,
            namespace if isinstance(namespace, str) and namespace else None,
            labels,
        )
        if selector != TableSelector():
            yield selector
