"""Closes what names a part that is not there: left out because it was not understood, or never sent.

A route that forwards needs its auth plan, its transformations, all of its upstreams (also those of weight zero: a
change of weight must not open it) and the guard; one that answers by itself needs its plans.
"""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import dataclass, replace

from wardgate import ir
from wardgate.wire.lenient import CLOSED, Closures


@dataclass(frozen=True, slots=True)
class Known:
    """The names of the parts that were understood; ``everything`` and ``guard`` say why not, else are empty."""

    auth_plans: Collection[str]
    transformations: Collection[str]
    upstreams: Collection[str]
    everything: str = ""
    guard: str = ""


def close_broken(listeners: tuple[ir.Listener, ...], known: Known, *, closures: Closures) -> tuple[ir.Listener, ...]:
    """The listeners, with every route closed that needs what is not in ``known``; the same where there is none."""
    return tuple([_listener(listener, known, closures=closures) for listener in listeners])


def _listener(listener: ir.Listener, known: Known, *, closures: Closures) -> ir.Listener:
    hosts = tuple([_host(host, known, closures=closures) for host in listener.virtual_hosts])
    return listener if _same(hosts, listener.virtual_hosts) else replace(listener, virtual_hosts=hosts)


def _host(host: ir.VirtualHost, known: Known, *, closures: Closures) -> ir.VirtualHost:
    routes = tuple([_route(route, known, closures=closures) for route in host.routes])
    return host if _same(routes, host.routes) else replace(host, routes=routes)


def _same(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return all(map(operator.is_, some, others))


def _route(route: ir.Route, known: Known, *, closures: Closures) -> ir.Route:
    why = _broken(route, known)
    return closures.close(route, why) if why else route


def _broken(route: ir.Route, known: Known) -> str:
    """Why the route cannot be served as it was meant, or nothing; also nothing if it is closed already."""
    if route.action is CLOSED:
        return ""
    if known.everything:
        return known.everything
    if route.auth is not None and route.auth not in known.auth_plans:
        return f"auth plan {route.auth} is not known"
    missing = [name for name in route.transformations if name not in known.transformations]
    if missing:
        return f"transformation {missing[0]} is not known"
    return _broken_forward(route.action, known) if isinstance(route.action, ir.Forward) else ""


def _broken_forward(action: ir.Forward, known: Known) -> str:
    if known.guard:
        return known.guard
    missing = [one.upstream for one in action.upstreams if one.upstream not in known.upstreams]
    return f"upstream {missing[0]} is not known" if missing else ""
