"""Builds the routes of each host of each listener from RouteTables: the order of events.

A root table is attached to listeners, expanded through its delegations, and merged with the other roots of its hosts.
If a root has ``failureMode: FREEZE_CONFIG`` and anything in its tree is bad, the whole tree is taken from the last good
forms of its tables. Their newer forms are held back, the good ones among them too, until the tree is good again. A tree
that never was good is served as it is, its bad routes closed, and none of its tables counts as good. Under isolated
tenancy a tree here is the part that has the root's owner: nobody holds back another owner's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.findings import Findings
from wardgate.translate.listening.ports import OpenListener
from wardgate.translate.listening.table_attachment import AttachedTable, TableAttachment
from wardgate.translate.plans.table_plans import TablePlan
from wardgate.translate.routes.delegation import Delegation
from wardgate.translate.routes.delegation_context import DelegationContext
from wardgate.translate.routes.table_index import TableIndex
from wardgate.translate.routes.unserved import Unserved, find_unserved
from wardgate.translate.routes.virtual_hosts import (
    Guests,
    HostPlan,
    RootRoutes,
    domains_together,
    merge_roots,
    root_claim,
    with_seniors,
)
from wardgate.translate.sight import Sight
from wardgate.translate.tables.served_tables import Tables
from wardgate.translate.tenancy import Tenancy


@dataclass(slots=True)
class Routed:
    """``hosts`` in the order of listeners. ``parents`` and ``gateways`` of each table are for its status.

    ``frozen``: tables whose newest form is held back, with the root that freezes them. ``unproven``: tables of trees
    that freeze and never were good. ``unserved``: tables and routes that no request reaches.
    """

    hosts: list[HostPlan] = field(default_factory=list)
    parents: dict[ObjectRef, set[ObjectRef]] = field(default_factory=dict)
    gateways: dict[ObjectRef, set[ObjectRef]] = field(default_factory=dict)
    frozen: dict[ObjectRef, ObjectRef] = field(default_factory=dict)
    unproven: set[ObjectRef] = field(default_factory=set)
    unserved: Unserved = field(default_factory=Unserved)


@dataclass(frozen=True, slots=True)
class _Root:
    table: TablePlan
    delegation: Delegation
    attached: Mapping[str, list[AttachedTable]]


class RouteBuilder:
    """Builds the routes of one translation."""

    def __init__(
        self,
        tables: Tables,
        listeners: Sequence[OpenListener],
        *,
        attachment: TableAttachment,
        upstreams: Upstreams,
        settings: Settings,
        findings: Findings,
    ) -> None:
        self._tables = tables
        self._listeners = {listener.name: listener for listener in listeners}
        self._attachment = attachment
        self._upstreams = upstreams
        self._cluster_name = settings.cluster_name
        self._guest_tables = settings.guest_tables
        self._tenancy = Tenancy.of(settings)
        self._sight = Sight.of(settings)
        self._findings = findings
        self._now = self._delegation(tables.now.values(), findings)
        self._routed = Routed()

    def run(self) -> Routed:
        """Attach, expand, merge."""
        roots = [self._root(table) for table in _by_age(self._tables.now.values()) if table.hosts]
        for name, listener in self._listeners.items():
            attached = with_seniors(
                [one for root in roots for one in root.attached.get(name, ())],
                Guests(self._guest_tables, self._findings),
                tenancy=self._tenancy,
            )
            by_table = {root.table.ref: root for root in roots}
            for domains, group in domains_together(attached, self._tenancy).items():
                merged = [self._expanded(one, by_table[one.table.ref], listener=listener) for one in group]
                instances = merge_roots(merged, tenancy=self._tenancy, findings=self._findings)
                self._routed.hosts.append(HostPlan(name, listener.gateway.ref, domains, instances))
        self._note(roots)
        self._check_unserved()
        return self._routed

    def _root(self, table: TablePlan) -> _Root:
        """A root in the form that is served, with the listeners it is attached to."""
        attached = self._attachment.of(table)
        good = self._tables.good.get(table.ref)
        bad = self._bad_tree(table, attached) if table.freezes else []
        if not bad:
            return _Root(table, self._now, attached)
        if good is None or not good.hosts:
            self._routed.unproven.update(bad)
            return _Root(table, self._now, attached)
        self._routed.frozen.update(dict.fromkeys(bad, table.ref))
        delegation = self._delegation(self._frozen_tables(good), self._findings)
        attached = self._attachment.of(good)
        self._freeze(good, delegation, attached=attached)
        return _Root(good, delegation, attached)

    def _frozen_tables(self, root: TablePlan) -> list[TablePlan]:
        """The last good forms of the root's owner, and the current forms of other owners' tables."""
        owner, owner_of = self._owner(root.ref), self._owner
        ours = [table for table in self._tables.good.values() if owner_of(table.ref) == owner]
        return ours + [table for table in self._tables.now.values() if owner_of(table.ref) != owner]

    def _owner(self, table: ObjectRef) -> str:
        return self._tenancy.owner(table.namespace)

    def _of_one_owner(self, root: TablePlan, delegation: Delegation) -> list[ObjectRef]:
        return [ref for ref in delegation.reached if self._owner(ref) == self._owner(root.ref)]

    def _bad_tree(self, table: TablePlan, attached: Mapping[str, list[AttachedTable]]) -> list[ObjectRef]:
        """The tables of a root's tree if any of them is bad; empty if all are good."""
        findings = Findings()
        trial = self._delegation(self._tables.now.values(), findings)
        # A root without listeners is tried under port 0, which no matcher names.
        for port in sorted({self._listeners[name].plan.port for name in attached}) or [0]:
            trial.expand(table, DelegationContext(port=port))
        tree = self._of_one_owner(table, trial)
        for ref in tree:
            findings.extend(self._tables.now[ref].problems)
        if not any(findings.is_invalid(ref) for ref in tree) and not self._findings.is_invalid(table.ref):
            return []
        self._findings.extend(findings.all())
        return tree

    def _freeze(self, root: TablePlan, delegation: Delegation, *, attached: Mapping[str, list[AttachedTable]]) -> None:
        for name in attached:
            delegation.expand(root, DelegationContext(port=self._listeners[name].plan.port))
        self._routed.frozen.update(dict.fromkeys(self._of_one_owner(root, delegation), root.ref))

    def _expanded(self, one: AttachedTable, root: _Root, *, listener: OpenListener) -> RootRoutes:
        allowed = (one.allowed,) if one.allowed else ()
        context = DelegationContext(port=listener.plan.port, gateway=listener.gateway.ref, allowed=allowed)
        instances = tuple(root.delegation.expand(root.table, context))
        return RootRoutes(root.table, instances, root_claim(one, self._tenancy))

    def _note(self, roots: Sequence[_Root]) -> None:
        """Collect the parents and the gateways of every table."""
        for delegation in dict.fromkeys((self._now, *(root.delegation for root in roots))):
            for table, parents in delegation.reached.items():
                self._routed.parents.setdefault(table, set()).update(parents)
            for table, gateways in delegation.gateways.items():
                self._routed.gateways.setdefault(table, set()).update(gateways)

    def _check_unserved(self) -> None:
        """Check the tables that nothing reaches like the others, and tell them so."""
        tables = self._tables.now.values()
        self._routed.unserved = find_unserved(
            _by_age(tables),
            self._now,
            index=lambda: self._index(tables),
            served={*self._routed.parents, *self._routed.frozen},
        )
        self._findings.extend(self._routed.unserved.problems())

    def _delegation(self, tables: Iterable[TablePlan], findings: Findings) -> Delegation:
        return Delegation(self._index(tables), self._upstreams, findings=findings, tenancy=self._tenancy)

    def _index(self, tables: Iterable[TablePlan]) -> TableIndex:
        return TableIndex(_by_age(tables), tenancy=self._tenancy, sight=self._sight, cluster_name=self._cluster_name)


def _by_age(tables: Iterable[TablePlan]) -> list[TablePlan]:
    return sorted(tables, key=lambda table: table.stored.age_key)
