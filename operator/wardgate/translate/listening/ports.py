"""Assigns ports to listeners. A port has one listener: that of the oldest gateway, and within a gateway the first.

Gateways on one port are not merged: their TLS settings, hosts and allowed tables would have to be one, and a writer of
gateways could slip hosts into another's. The younger gateway is FAILED and keeps its other ports; the tables of the
older one notice nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wardgate.problems import Reason, format_path
from wardgate.translate.findings import Findings
from wardgate.translate.plans.gateway_plans import GatewayPlan, ListenerPlan


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
            if owner is not listener:
                _report(listener, owner, findings=findings)
    return list(owners.values())


def _report(loser: OpenListener, owner: OpenListener, *, findings: Findings) -> None:
    field = ("spec", "listeners", loser.plan.index, "port")
    ref = loser.gateway.ref
    if owner.gateway.ref == ref:
        message = (
            f"{format_path(field)} of {ref} is {loser.plan.port}, which an earlier listener of the same gateway has "
            "already; give every listener a port of its own."
        )
    else:
        message = (
            f"{format_path(field)} of {ref} is {loser.plan.port}, which the older {owner.gateway.ref} has already. "
            "That one is served; use another port, or delete this gateway and attach its route tables to that one."
        )
    findings.conflict(ref, Reason.PORT_CONFLICT, message=message, field=field)
