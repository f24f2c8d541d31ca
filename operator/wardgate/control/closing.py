"""Closes what single objects became in a config, so that the config gets smaller and nothing gets more open.

Rule 1: whoever is closed is refused. A route stays where it is with what it matches, and answers 500; without it a
wider route, perhaps an open one, would take its requests. A key that is left out is an unknown key. A gateway that is
closed does not listen.
Rule 2: everything else stays as it is, to the byte, but for what nobody uses any more: that goes.
Rule 3: ``widen`` gives up what a closed route matches exactly, because matches may be what takes the room: the routes
of one table under one host become one, at the place of the first, for the longest prefix that all their paths have in
common. It takes all their requests, and perhaps some that a later route would have taken; never fewer.

Which objects are to be closed is decided elsewhere (``fitting``). Names in a config say where its parts come from: a
route is ``namespace/table/...``, a plan ``namespace/name``, an upstream ``external/namespace/name:port``, a listener
``namespace/name:port``. No I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from os.path import commonprefix
from typing import Final

from wardgate.ir import (
    ApiKeyStep,
    Credential,
    Forward,
    GatewayConfig,
    Listener,
    PathMatch,
    Refuse,
    Route,
    RouteMatch,
    VirtualHost,
)
from wardgate.problems import ObjectRef

CLOSED: Final = Refuse(500, "too_large")
_EXTERNAL: Final = "external/"


def route_sources(config: GatewayConfig) -> set[ObjectRef]:
    """The objects some routes of the config come from, pass or lead to."""
    return {ref for route in _routes(config.listeners) for ref in _sources(route)}


def gateways(config: GatewayConfig) -> set[ObjectRef]:
    """The gateways that listen."""
    return {_gateway(listener) for listener in config.listeners}


def key_secret(credential: Credential) -> ObjectRef:
    """The Secret a key comes from."""
    return ObjectRef("Secret", credential.namespace, credential.name)


def without_keys(config: GatewayConfig, secrets: AbstractSet[ObjectRef]) -> GatewayConfig:
    """Leave out all keys of these Secrets."""
    return replace(config, credentials=tuple(one for one in config.credentials if key_secret(one) not in secrets))


def with_closed_routes(config: GatewayConfig, refs: AbstractSet[ObjectRef], *, widen: bool) -> GatewayConfig:
    """Close every route that one of these objects is a source of."""
    return _with_listeners(config, (_closed_listener(one, refs, widen=widen) for one in config.listeners))


def without_gateways(config: GatewayConfig, refs: AbstractSet[ObjectRef]) -> GatewayConfig:
    """Close the listeners of these gateways."""
    return _with_listeners(config, (one for one in config.listeners if _gateway(one) not in refs))


def _sources(route: Route) -> Iterator[ObjectRef]:
    yield _table(route)
    if route.auth is not None:
        yield _policy("ExtAuthPolicy", route.auth)
    for plan in route.transformations:
        yield _policy("TransformationPolicy", plan)
    if isinstance(route.action, Forward):
        for target in route.action.upstreams:
            if target.upstream.startswith(_EXTERNAL):
                namespace, _, rest = target.upstream.removeprefix(_EXTERNAL).partition("/")
                yield ObjectRef("ExternalService", namespace, rest.rpartition(":")[0])


def _table(route: Route) -> ObjectRef:
    namespace, name, _ = route.name.split("/", 2)
    return ObjectRef("RouteTable", namespace, name)


def _policy(kind: str, plan: str) -> ObjectRef:
    namespace, _, name = plan.partition("/")
    return ObjectRef(kind, namespace, name)


def _gateway(listener: Listener) -> ObjectRef:
    namespace, _, rest = listener.name.partition("/")
    return ObjectRef("VirtualGateway", namespace, rest.rpartition(":")[0])


def _closed_listener(listener: Listener, refs: AbstractSet[ObjectRef], *, widen: bool) -> Listener:
    hosts = (_closed_host(one, refs, widen=widen) for one in listener.virtual_hosts)
    return replace(listener, virtual_hosts=tuple(hosts))


def _closed_host(host: VirtualHost, refs: AbstractSet[ObjectRef], *, widen: bool) -> VirtualHost:
    closed = {route.name: _closed(route) for route in host.routes if not refs.isdisjoint(_sources(route))}
    kept = (closed.get(route.name, route) for route in host.routes)
    return replace(host, routes=tuple(_widened(kept, closed) if widen else kept))


def _closed(route: Route) -> Route:
    return Route(route.name, CLOSED, route.matches, owner=route.owner)


def _widened(routes: Iterable[Route], closed: Mapping[str, Route]) -> Iterator[Route]:
    by_table: dict[ObjectRef, list[Route]] = {}
    for route in closed.values():
        by_table.setdefault(_table(route), []).append(route)
    for route in routes:
        if route.name not in closed:
            yield route
        elif together := by_table.pop(_table(route), None):
            yield replace(route, matches=_wide(together))


def _wide(routes: list[Route]) -> tuple[RouteMatch, ...]:
    """One match for whatever some of these routes take; none at all takes everything."""
    matches = [match for route in routes for match in route.matches or (RouteMatch(),)]
    if len(matches) == 1:
        return routes[0].matches
    # Character by character, as prefixes of paths are compared by the proxy.
    prefix = commonprefix([_literal(match) for match in matches])  # noqa: RUF071
    return (RouteMatch(paths=(PathMatch("prefix", prefix),)),) if prefix else ()


def _literal(match: RouteMatch) -> str:
    """What every path that matches begins with, as far as that is plain to see."""
    plain = (path.value for path in match.paths if path.kind != "regex" and not path.ignore_case)
    return max(plain, key=len, default="")


def _with_listeners(config: GatewayConfig, listeners: Iterable[Listener]) -> GatewayConfig:
    """The config with these listeners, and of the rest what their routes use."""
    kept = tuple(listeners)
    routes = tuple(_routes(kept))
    auth_plans = {route.auth for route in routes}
    plans = {plan for route in routes for plan in route.transformations}
    forwards = (route.action for route in routes if isinstance(route.action, Forward))
    upstreams = {target.upstream for forward in forwards for target in forward.upstreams}
    used = tuple(plan for plan in config.auth_plans if plan.name in auth_plans)
    key_sets = {step.key_set for plan in used for step in plan.steps if isinstance(step, ApiKeyStep)}
    return replace(
        config,
        listeners=kept,
        upstreams=tuple(one for one in config.upstreams if one.name in upstreams),
        auth_plans=used,
        transformations=tuple(one for one in config.transformations if one.name in plans),
        credentials=tuple(one for one in config.credentials if one.key_set in key_sets),
    )


def _routes(listeners: Iterable[Listener]) -> Iterator[Route]:
    for listener in listeners:
        for host in listener.virtual_hosts:
            yield from host.routes
