"""Keys that are bound to hosts to which none of their routes leads: each request with such a key would be refused.

The rule is the proxy's (invariant 11): a bound token goes only where all destinations of a route dial and verify a
listed host, and where the request names one as its host. Nothing is decided here: a typing mistake in a list is told
before anybody meets the 403.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from wardgate.ir import ApiKeyStep, Credential, Forward, GatewayConfig, Route, TransformationPlan
from wardgate.problems import ObjectRef, Problem
from wardgate.translate.keys import key_warnings

_NUMBER: Final = re.compile(r":[0-9]+\Z")
_Hosts: TypeAlias = frozenset[str] | None
"""Hosts that a route dials, verifies and names; None: no bound token may go there."""
Reached: TypeAlias = Mapping[str, frozenset[_Hosts]]
"""The hosts of each key set's routes. Sets are left out whose routes do not forward, or are chosen anew on the way."""


def idle_bindings(credentials: Iterable[Credential], dialled: Reached) -> Iterator[Problem]:
    """A warning for every bound Secret among these, unless its key reaches a listed host in one of its key sets."""
    arrives: dict[tuple[str, tuple[str, ...]], bool] = {}
    idle: set[tuple[str, str]] = set()
    busy: set[tuple[str, str]] = set()
    for one in credentials:
        hosts = dialled.get(one.key_set)
        if hosts is None or one.allowed_hosts is None:
            continue
        binding = (one.key_set, one.allowed_hosts)
        if binding not in arrives:
            arrives[binding] = _leads_there(hosts, frozenset(one.allowed_hosts))
        (busy if arrives[binding] else idle).add((one.namespace, one.name))
    for namespace, name in sorted(idle - busy):
        yield key_warnings.leads_nowhere(ObjectRef("Secret", namespace, name))


def _leads_there(dialled: Iterable[_Hosts], allowed: frozenset[str]) -> bool:
    return any(hosts is not None and hosts <= allowed for hosts in dialled)


def reached(config: GatewayConfig) -> Reached:
    """The hosts that the routes of every key set dial."""
    bound = {upstream.name: frozenset(upstream.bound_hosts or ()) for upstream in config.upstreams}
    steps = {plan.name: plan.steps for plan in config.auth_plans}
    recalculating = {plan.name for plan in config.transformations if plan.recalculate}
    renaming = {plan.name for plan in config.transformations if _sets_host(plan)}
    found: dict[str, set[_Hosts]] = {}
    anywhere: set[str] = set()
    for domains, route in _routes(config):
        if route.auth is None or not isinstance(route.action, Forward):
            continue
        key_sets = {step.key_set for step in steps[route.auth] if isinstance(step, ApiKeyStep)}
        if not recalculating.isdisjoint(route.transformations):
            anywhere |= key_sets
        dialled = [bound[target.upstream] for target in route.action.upstreams]
        named = frozenset[str]() if not renaming.isdisjoint(route.transformations) else _named(route.action, domains)
        hosts = frozenset[str]().union(named, *dialled) if named is not None and dialled and all(dialled) else None
        for key_set in key_sets:
            found.setdefault(key_set, set()).add(hosts)
    return {key_set: frozenset(hosts) for key_set, hosts in found.items() if key_set not in anywhere}


def _named(action: Forward, domains: tuple[str, ...]) -> _Hosts:
    """The host names that are sent besides those dialled; None: the caller's own, whatever it is."""
    if action.auto_host_rewrite:
        return frozenset()
    if action.host_rewrite is not None:
        return frozenset({_NUMBER.sub("", action.host_rewrite.lower())})
    return None if any(domain.startswith("*") for domain in domains) else frozenset(domains)


def _sets_host(plan: TransformationPlan) -> bool:
    return plan.request is not None and any(one.name in ("host", ":authority") for one in plan.request.headers)


def _routes(config: GatewayConfig) -> Iterator[tuple[tuple[str, ...], Route]]:
    for listener in config.listeners:
        for host in listener.virtual_hosts:
            yield from ((host.domains, route) for route in host.routes)
