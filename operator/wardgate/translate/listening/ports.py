"""Assigns ports to listeners. A port has one listener: that of the oldest gateway, and within a gateway the first.

Listeners of one gateway that show a certificate each, for hosts of their own, and are alike in everything else, are
one listener with several certificates (SNI). Where they differ in more, such as in asking callers for certificates,
they are not: a caller may ask for one host in the handshake and for another one in the request.

Gateways on one port are not merged: their TLS settings, hosts and allowed tables would have to be one, and a writer of
gateways could slip hosts into another's. The younger gateway is FAILED and keeps its other ports; the tables of the
older one notice nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wardgate.ir import ListenerTls, ServerCertificate
from wardgate.problems import Reason, format_path
from wardgate.sensitive import Sensitive
from wardgate.translate.findings import Findings
from wardgate.translate.plans.gateway_plans import AllowedTables, GatewayPlan, ListenerPlan


@dataclass(frozen=True, slots=True)
class OpenListener:
    """A listener that got its port."""

    gateway: GatewayPlan
    plan: ListenerPlan

    @property
    def name(self) -> str:
        """Unique, because a port has one listener."""
        return f"{self.gateway.ref.namespace}/{self.gateway.ref.name}:{self.plan.port}"


def assign_ports(gateways: Sequence[GatewayPlan], findings: Findings) -> list[OpenListener]:
    """The listeners that are opened, the oldest gateway's first."""
    owners: dict[int, OpenListener] = {}
    for gateway in sorted(gateways, key=lambda one: one.stored.age_key):
        for plan in gateway.listeners:
            listener = OpenListener(gateway, plan)
            owner = owners.setdefault(plan.port, listener)
            if owner is listener:
                continue
            joined = _joined(owner.plan, plan) if owner.gateway is gateway else None
            if joined is None:
                _report(listener, owner, findings=findings)
            else:
                owners[plan.port] = OpenListener(gateway, joined)
    return list(owners.values())


def _joined(first: ListenerPlan, second: ListenerPlan) -> ListenerPlan | None:
    """One listener with the certificates of both; None where they are not alike, or share a host."""
    if first.tls is None or second.tls is None or not first.allowed or not second.allowed:
        return None
    hosts, others = _hosts(first.allowed), _hosts(second.allowed)
    if hosts & others or _apart_from_certificates(first.tls) != _apart_from_certificates(second.tls):
        return None
    known = first.tls.hosts or tuple(sorted(hosts))
    further = ServerCertificate(second.tls.certificate, second.tls.private_key, tuple(sorted(others)))
    tls = replace(first.tls, hosts=known, others=(*first.tls.others, further))
    return replace(first, tls=tls, allowed=(*first.allowed, *second.allowed))


def _hosts(allowed: Sequence[AllowedTables]) -> frozenset[str]:
    return frozenset(entry.host for entry in allowed)


def _apart_from_certificates(tls: ListenerTls) -> ListenerTls:
    return replace(tls, certificate="", private_key=Sensitive(""), hosts=(), others=())


def _report(loser: OpenListener, owner: OpenListener, *, findings: Findings) -> None:
    field = ("spec", "listeners", loser.plan.index, "port")
    ref = loser.gateway.ref
    if owner.gateway.ref == ref:
        message = (
            f"{format_path(field)} of {ref} is {loser.plan.port}, which an earlier listener of the same gateway has "
            "already. With TLS they can share it, if they differ in nothing but the certificate and the hosts of "
            "allowedRouteTables, of which each has its own; otherwise give every listener a port of its own."
        )
    else:
        message = (
            f"{format_path(field)} of {ref} is {loser.plan.port}, which the older {owner.gateway.ref} has already. "
            "That one is served; use another port, or delete this gateway and attach its route tables to that one."
        )
    findings.conflict(ref, Reason.PORT_CONFLICT, message=message, field=field)
