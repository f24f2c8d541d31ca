"""Keys that are bound to hosts where none of their routes leads: each request with such a key would be refused.

The rule is the proxy's (invariant 11): a token that is bound goes only where all destinations of a route dial and
verify a listed host. Nothing is decided here; a typing mistake in a list is told before anybody meets the 403.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from wardgate.ir import ApiKeyStep, Forward, GatewayConfig, Route
from wardgate.problems import ObjectRef
from wardgate.translate.findings import Findings
from wardgate.translate.policies import key_warnings

_Hosts: TypeAlias = frozenset[str] | None
"""Hosts that a route dials and verifies; None: a token that is bound may not go there at all."""


def report_idle_bindings(config: GatewayConfig, findings: Findings) -> None:
    """Warn at the Secret, unless one of its key sets gets somewhere."""
    reached = _reached(config)
    idle: dict[ObjectRef, bool] = {}
    for credential in config.credentials:
        hosts = reached.get(credential.key_set)
        if credential.allowed_hosts is not None and hosts is not None:
            ref = ObjectRef("Secret", credential.namespace, credential.name)
            allowed = frozenset(credential.allowed_hosts)
            arrives = any(one is not None and one <= allowed for one in hosts)
            idle[ref] = idle.get(ref, True) and not arrives
    findings.extend(key_warnings.leads_nowhere(ref) for ref, is_idle in idle.items() if is_idle)


def _reached(config: GatewayConfig) -> dict[str, set[_Hosts]]:
    """By key set. Left out are sets whose routes do not forward, or choose their destination anew on the way."""
    bound = {upstream.name: frozenset(upstream.bound_hosts or ()) for upstream in config.upstreams}
    steps = {plan.name: plan.steps for plan in config.auth_plans}
    recalculating = {plan.name for plan in config.transformations if plan.recalculate}
    found: dict[str, set[_Hosts]] = {}
    anywhere: set[str] = set()
    for route in _routes(config):
        if route.auth is None or not isinstance(route.action, Forward):
            continue
        key_sets = {step.key_set for step in steps[route.auth] if isinstance(step, ApiKeyStep)}
        if not recalculating.isdisjoint(route.transformations):
            anywhere |= key_sets
        dialled = [bound[target.upstream] for target in route.action.upstreams]
        hosts = frozenset[str]().union(*dialled) if dialled and all(dialled) else None
        for key_set in key_sets:
            found.setdefault(key_set, set()).add(hosts)
    return {key_set: hosts for key_set, hosts in found.items() if key_set not in anywhere}


def _routes(config: GatewayConfig) -> Iterator[Route]:
    for listener in config.listeners:
        for host in listener.virtual_hosts:
            yield from host.routes
