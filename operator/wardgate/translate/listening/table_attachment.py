"""Attaches root tables to listeners, each under the hosts that both allow.

A table names its gateways; a gateway's ``allowedRouteTables`` let tables in by selector and host. Two hosts allow the
narrower of the two: a table for ``*`` on a listener for ``*.example.com`` serves the latter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.problems import Cause, FieldPath, ObjectRef, Reason
from wardgate.settings import Settings
from wardgate.translate.findings import Findings
from wardgate.translate.listening.ports import OpenListener
from wardgate.translate.matching.host_names import ANY, common, narrowness
from wardgate.translate.plans.gateway_plans import AllowedTables, GatewayPlan
from wardgate.translate.plans.table_plans import RouteFilter, TablePlan
from wardgate.translate.reading.last_good import ServedObject
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class AttachedTable:
    """One table under one domain of one listener. ``allowed`` empty: every route may stand there.

    ``given``: the narrowness of the pattern by which the platform gave the domain (see ``virtual_hosts.with_seniors``).
    """

    table: TablePlan
    domain: str
    allowed: tuple[RouteFilter, ...] = ()
    given: int = 0


class TableAttachment:
    """Attaches the roots of one translation; refusals go to ``findings``."""

    def __init__(
        self,
        gateways: Sequence[ServedObject[GatewayPlan]],
        listeners: Sequence[OpenListener],
        *,
        settings: Settings,
        findings: Findings,
    ) -> None:
        self._gateways = {one.ref: one.value for one in gateways if one.value is not None}
        self._unreadable = {one.ref for one in gateways if one.value is None}
        self._listeners = listeners
        self._tenancy = Tenancy.of(settings)
        self._sight = Sight.of(settings)
        self._cluster_name = settings.cluster_name
        self._findings = findings

    def of(self, table: TablePlan) -> dict[str, list[AttachedTable]]:
        """The attachments of a root table, by the listener's name."""
        found: dict[str, list[AttachedTable]] = {}
        for index, (namespace, name) in enumerate(table.gateways):
            gateway = ObjectRef("VirtualGateway", namespace, name)
            if self._exists(table, gateway, index=index):
                self._at(table, gateway, index=index, found=found)
        return found

    def _exists(self, table: TablePlan, gateway: ObjectRef, *, index: int) -> bool:
        field = ("spec", "virtualGateways", index)
        if not self._tenancy.may_reference(table.ref.namespace, gateway.namespace):
            text = f"{table.ref} may not name {gateway}: under isolated tenancy it lies in another tenant's namespace."
            self._findings.error(table.ref, Reason.REF_NOT_PERMITTED, message=text, field=field)
            return False
        if gateway not in self._gateways:
            reason, absence = self._sight.absence(gateway)
            remedy = (
                ". Correct the name, or create the gateway" if self._sight.sees(gateway) else ", or correct the name"
            )
            text = f"{absence}{remedy}."
            if gateway in self._unreadable:
                reason, text = Reason.INVALID, "is INVALID and opens no listener. Mend the gateway."
            self._findings.error(
                table.ref,
                reason,
                message=f"{table.ref} names {gateway}, which {text}",
                field=field,
                cause=Cause(gateway),
            )
            return False
        return True

    def _at(self, table: TablePlan, gateway: ObjectRef, *, index: int, found: dict[str, list[AttachedTable]]) -> None:
        open_listeners = [one for one in self._listeners if one.gateway.ref == gateway]
        let_in: set[str] = set()
        for listener in open_listeners:
            attached = self._on(table, listener)
            let_in.update(host for host in table.hosts if _domains([one.domain for one in attached], host))
            if attached and not listener.plan.only_redirects:
                found.setdefault(listener.name, []).extend(attached)
        if let_in:
            self._tell_near_misses(table, open_listeners, field=("spec", "virtualGateways", index))
        left_out = [host for host in table.hosts if host not in let_in]
        if open_listeners and not let_in:
            self._findings.error(
                table.ref,
                Reason.NOT_ALLOWED,
                message=(
                    f"{table.ref} is let in by no listener of {gateway}; its allowedRouteTables have to select the "
                    f"table and one of its hosts{self._hosts_apart(table, open_listeners)}."
                ),
                field=("spec", "virtualGateways", index),
            )
        elif open_listeners and left_out:
            self._findings.warning(
                table.ref,
                Reason.NOT_ALLOWED,
                message=(
                    f"{table.ref} is not let in by {gateway} for {', '.join(left_out)}; see its allowedRouteTables."
                ),
                field=("spec", "hosts"),
            )
        elif not open_listeners:
            self._findings.warning(
                table.ref,
                Reason.NOT_SERVED,
                message=f"{table.ref} names {gateway}, which serves no listener here.",
                field=("spec", "virtualGateways", index),
                cause=Cause(gateway, ("spec", "listeners" if self._gateways[gateway].is_ours else "workloads")),
            )

    def _hosts_apart(self, table: TablePlan, listeners: Sequence[OpenListener]) -> str:
        """The end of a sentence, where hosts are what differs. No tenant is told the hosts of others."""
        if self._tenancy.isolated:
            return ", and to name its namespace"
        hosts = {entry.host for one in listeners for entry in one.plan.allowed or ()}
        if not hosts or any(_domains(table.hosts, host) for host in hosts):
            return ""
        return f" ({_listed(table.hosts)}), and are for {_listed(sorted(hosts))}"

    def _tell_near_misses(self, table: TablePlan, listeners: Sequence[OpenListener], *, field: FieldPath) -> None:
        """Note listeners that refuse a table which others let in, where an entry nearly fits: it may be a slip.

        An entry that fits in nothing is meant for other tables, and worth no word.
        """
        for listener in listeners:
            if self._on(table, listener):
                continue
            missed = [self._missed(entry, table, listener=listener) for entry in listener.plan.allowed or ()]
            for why in [one for one in missed if one][:1]:
                self._findings.note(
                    table.ref,
                    Reason.NOT_ALLOWED,
                    message=(
                        f"{table.ref} is let in by other listeners of {listener.gateway.ref}, and not on port "
                        f"{listener.plan.port}: {why}."
                    ),
                    field=field,
                )

    def _missed(self, entry: AllowedTables, table: TablePlan, *, listener: OpenListener) -> str:
        """Why an entry that nearly fits does not; empty where it is not near."""
        if self._lets_in(entry, table, listener=listener):
            chosen = entry.labels or (entry.name, entry.namespace, entry.host_namespace) != (None, None, None)
            return f"allowedRouteTables select it there for the host {entry.host} alone" if chosen else ""
        if entry.host != ANY and _domains(table.hosts, entry.host):
            return f"allowedRouteTables have the host {entry.host} there, and select other tables"
        return ""

    def _on(self, table: TablePlan, listener: OpenListener) -> list[AttachedTable]:
        """The domains of the table on one listener; the filters of several entries add up."""
        if listener.plan.allowed is None:
            if not self._tenancy.may_attach(listener.gateway.ref.namespace, table.ref.namespace, named=False):
                return []
            return [self._attached(table, host, allowed=(), entry=host) for host in table.hosts]
        filters: dict[str, tuple[RouteFilter, ...] | None] = {}
        given: dict[str, str] = {}
        for entry in listener.plan.allowed:
            if self._lets_in(entry, table, listener=listener):
                for domain in _domains(table.hosts, entry.host):
                    earlier = filters.get(domain, ())
                    # None, from an entry without filters, permits every route, whatever other entries say.
                    both = (*earlier, *entry.allowed) if earlier is not None and entry.allowed else None
                    filters[domain] = both
                    given[domain] = max(given.get(domain, ANY), entry.host, key=narrowness)
        return [
            self._attached(table, domain, allowed=allowed or (), entry=given[domain])
            for domain, allowed in filters.items()
        ]

    def _attached(
        self, table: TablePlan, domain: str, *, allowed: tuple[RouteFilter, ...], entry: str
    ) -> AttachedTable:
        """``entry``: the host that the gateway lets in. The platform gives itself the hosts that its table names."""
        given = entry if self._tenancy.owner(table.ref.namespace) else domain
        return AttachedTable(table, domain, allowed, narrowness(given))

    def _lets_in(self, entry: AllowedTables, table: TablePlan, *, listener: OpenListener) -> bool:
        namespace = table.ref.namespace
        named = namespace in (entry.namespace, entry.host_namespace)
        return (
            entry.host_namespace in (None, namespace)
            and entry.namespace in (None, namespace)
            and entry.name in (None, table.ref.name)
            and entry.labels <= table.labels
            and (None in (entry.cluster, self._cluster_name) or entry.cluster == self._cluster_name)
            and self._tenancy.may_attach(listener.gateway.ref.namespace, namespace, named=named)
        )


def _listed(hosts: Sequence[str]) -> str:
    more = len(hosts) - _NAMED_AT_MOST
    return ", ".join(hosts[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _domains(hosts: Sequence[str], allowed: str) -> list[str]:
    return [domain for host in hosts if (domain := common(host, allowed)) is not None]
