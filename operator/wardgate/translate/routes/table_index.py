"""The RouteTables that a delegating route means, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wardgate.api.kinds.annotations import DELEGATE_FROM
from wardgate.problems import Cause, ObjectRef, Reason
from wardgate.translate.incremental.label_index import LabelIndex
from wardgate.translate.plans.table_plans import DelegatePlan, TablePlan, TableSelector
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

_NAMESPACE, _NAME = "\0namespace", "\0name"


@dataclass(frozen=True, slots=True)
class MissedTable:
    """A selector names a table that cannot stand there. ``text`` continues "The route ... of RouteTable a/b ...".

    ``owner`` answers for the named table: if that is a tenant, the platform table that names it stays valid.
    """

    reason: Reason
    text: str
    owner: str
    cause: Cause | None = None


class TableIndex:
    """The tables of one translation, by label, namespace and name."""

    def __init__(
        self, tables: Sequence[TablePlan], *, tenancy: Tenancy, sight: Sight, cluster_name: str | None
    ) -> None:
        self._tables = list(tables)
        self._tenancy = tenancy
        self._sight = sight
        self._cluster_name = cluster_name
        self._index = LabelIndex(
            (number, (*table.labels, (_NAMESPACE, table.ref.namespace), (_NAME, table.ref.name)))
            for number, table in enumerate(tables)
        )

    def below(self, parent: TablePlan, delegate: DelegatePlan) -> tuple[list[TablePlan], list[MissedTable]]:
        """The tables that a route of ``parent`` delegates to, in order, and the tables that it names in vain."""
        found: dict[int, None] = {}
        missed: list[MissedTable] = []
        for selector in delegate.selectors:
            numbers, fault = self._selected(parent, selector)
            found.update(dict.fromkeys(numbers))
            if fault is not None:
                missed.append(fault)
        tables = [self._tables[number] for number in found]
        if not all(selector.name for selector in delegate.selectors):
            tables.sort(key=lambda table: table.stored.age_key)
        tables.sort(key=lambda table: -table.weight)
        return tables, missed

    def _selected(self, parent: TablePlan, selector: TableSelector) -> tuple[list[int], MissedTable | None]:
        if self._cluster_name is not None and selector.cluster not in (None, self._cluster_name):
            return [], None
        namespace = selector.namespace or (parent.ref.namespace if selector.name else None)
        pairs = [*selector.labels]
        pairs += [(_NAMESPACE, namespace)] if namespace else []
        pairs += [(_NAME, selector.name)] if selector.name else []
        carrying = self._index.carrying(pairs)
        permitted = [number for number in carrying if self._may_attach(parent, self._tables[number], selector=selector)]
        children = [number for number in permitted if not self._tables[number].hosts]
        if children or namespace is None or not selector.name:
            return children, None
        owner = self._tenancy.owner(namespace)
        child = f"names RouteTable {namespace}/{selector.name}, which"
        if permitted:
            return [], MissedTable(
                Reason.INVALID, f"{child} has hosts of its own; remove those, with its virtualGateways", owner
            )
        if owner == self._tenancy.owner(parent.ref.namespace) or self._tenancy.is_platform(parent.ref.namespace):
            table = ObjectRef("RouteTable", namespace, selector.name)
            reason, absence = self._sight.absence(table)
            return [], MissedTable(reason, f"{child} {absence}", owner, Cause(table))
        # The same answer whether or not it exists: a tenant does not find out what others have.
        guest = parent.ref.namespace
        remedy = f"a platform table lets it in with the annotation {DELEGATE_FROM}: {guest}, a tenant's table never"
        text = f"{child} does not exist or does not let namespace {guest} delegate to it; {remedy}"
        return [], MissedTable(Reason.REF_NOT_PERMITTED, text, owner)

    def _may_attach(self, parent: TablePlan, child: TablePlan, *, selector: TableSelector) -> bool:
        named = selector.namespace == child.ref.namespace
        return self._tenancy.may_attach(parent.ref.namespace, child.ref.namespace, named=named, admits=child.admits)
