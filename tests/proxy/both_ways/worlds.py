"""Configs that hold a route for each feature that a request can meet, and their changes while requests run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from tests.proxy.both_ways.keys import NAMES, credentials, sources
from tests.proxy.both_ways.plans import AUTH_PLANS, TRANSFORMATIONS
from wardgate.ir import (
    DirectResponse,
    Endpoint,
    Forward,
    FrontProxies,
    GatewayConfig,
    HeaderMatch,
    Listener,
    PathMatch,
    PrefixRewrite,
    QueryMatch,
    Redirect,
    Refuse,
    RegexRewrite,
    Route,
    RouteAction,
    RouteMatch,
    Upstream,
    VirtualHost,
    WeightedUpstream,
)
from wardgate.proxy.assembly import Assembled
from wardgate.proxy.core.auth.credential_index import CredentialIndex

MAIN, OTHER, CLEAR, BEHIND = 8081, 8082, 8083, 8084
"""Ports: of the most routes, of others under the same paths, of one that sends everybody to https, and of the most
routes behind a proxy that is believed."""
UPSTREAMS = (
    Upstream("hf", (Endpoint("hf.example", 443),), bound_hosts=("hf.example",), send_forwarded=True),
    Upstream("twin", (Endpoint("twin1.example", 443), Endpoint("twin2.example", 443))),
    Upstream("svc", (Endpoint("svc.example", 80),), send_forwarded=True),
    Upstream("named", (Endpoint("named.example.", 80),), send_user_id=True),
    Upstream("dead", (Endpoint("dead.example", 9),)),
    Upstream("empty", ()),
)
PINS = (
    ("hf.example:443", "203.0.113.1:443"),
    ("twin1.example:443", "203.0.113.6:443"),
    ("twin2.example:443", "203.0.113.2:443"),
    ("svc.example:80", "203.0.113.3:80"),
    ("named.example:80", "203.0.113.4:80"),
    ("dead.example:9", "203.0.113.5:9"),
)


@dataclass(frozen=True, slots=True)
class World:
    """A config, by what can change in it.

    ``keys`` are those in force, by name; ``expiring``: the moment of one key's end, in seconds after the start.
    ``closed`` routes refuse. ``matched``: the plain route asks for a header. ``stripped``: it takes one off.
    ``confined``: owners allow their tokens less than before.
    ``only`` these routes are there; empty: all of them.
    """

    keys: frozenset[str] = NAMES
    token: str = "hf_provider_token"
    expiring: int = 100
    closed: frozenset[str] = frozenset()
    rewrite: str = "/v1"
    matched: bool = False
    stripped: bool = False
    without_other: bool = False
    confined: bool = False
    only: tuple[str, ...] = ()


def at(prefix: str, **changes: object) -> RouteMatch:
    """Match a prefix, and what else is said."""
    return replace(RouteMatch((PathMatch("prefix", prefix),)), **changes)  # type: ignore[arg-type]


def to(*upstreams: str, **changes: object) -> Forward:
    """Forward to upstreams of growing weight."""
    weighted = tuple(WeightedUpstream(name, weight) for weight, name in enumerate(upstreams, 1))
    return replace(Forward(weighted), **changes)  # type: ignore[arg-type]


def _route(name: str, action: RouteAction | None = None, *, auth: str | None = "plan", **changes: object) -> Route:
    matches = changes.pop("matches", (at(f"/{name}"),))
    return replace(Route(name, action or to("hf"), auth=auth, matches=matches), **changes)  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _routes(world: World) -> tuple[Route, ...]:
    scope = HeaderMatch("x-scope", "inner")
    plain = at("/plain", headers=(HeaderMatch("x-late"),) if world.matched else ())
    return (
        _route("plain", matches=(plain,), transformations=("strip",) if world.stripped else ()),
        _route("open", to("svc"), auth=None),
        _route("exact", matches=(RouteMatch((PathMatch("exact", "/Exact", ignore_case=True),)),)),
        _route("regex", matches=(RouteMatch((PathMatch("regex", "/re(gex)?/[a-z]+"),)),)),
        _route("prefixed", to("hf", path_rewrite=PrefixRewrite(world.rewrite))),
        _route("substituted", to("svc", path_rewrite=RegexRewrite("^/substituted/(.*)", "/s//\\1"))),
        _route("host", to("svc", host_rewrite="rewritten.example")),
        _route("auto", to("hf", auto_host_rewrite=True)),
        _route("scoped", to("hf"), matches=(at("/scoped", headers=(scope,)),)),
        _route("scoped-not", to("svc"), matches=(at("/scoped", headers=(replace(scope, invert=True),)),)),
        _route("queried", to("svc"), matches=(at("/queried", query=(QueryMatch("model", "a.*", regex=True),)),)),
        _route("queried-not", to("hf"), matches=(at("/queried"),)),
        _route("posted", to("svc"), matches=(at("/posted", methods=("POST", "PUT")),)),
        _route("weighted", to("hf", "svc", "named")),
        _route("twin", to("twin")),
        _route("pre", transformations=("pre-copy",)),
        _route("post", transformations=("bearer",)),
        _route("doubled", transformations=("double",)),
        _route("answered", transformations=("stamp",)),
        _route("measured", transformations=("measure",)),
        _route("moved", transformations=("move",)),
        _route("tenant", auth="tenants", owner="tenant", transformations=("tenants-own",)),
        _route("shared", auth="tenants", owner="tenant"),
        _route("forwarded", auth="forwarding"),
        _route("metadata", auth="metadata"),
        _route("steps", auth="steps"),
        _route("either", auth="either"),
        _route("hmac", auth="hmac"),
        _route("digest", auth="digest"),
        _route("basic", auth="basic"),
        _route("bearer", auth="bearer"),
        _route("named", to("named")),
        _route("bound", to("svc"), auth="plan"),
        _route("redirect", Redirect(302, "elsewhere.example"), auth=None),
        _route("guarded-redirect", Redirect(301, None, "/gone")),
        _route("direct", DirectResponse(200, "direct\n"), auth=None),
        _route("guarded-direct", DirectResponse(204)),
        _route("refuse", Refuse(500, "invalid"), auth=None),
        _route("dead", to("dead"), auth=None),
        _route("empty", to("empty"), auth=None),
        _route("nothing", Forward(()), auth=None),
        _route("unknown-plan", auth="nobody"),
        _route("shaped", to("hf", "svc"), transformations=("shape", "bearer")),
    )


_NO_PATHS = ("exact", "regex", "scoped-not", "queried-not")
_FOUND = tuple(route.name for route in _routes(World()) if route.name not in _NO_PATHS)
PATHS = (*_FOUND, "eXact", "re/abc", "regex/x")
SIMPLE = (
    *("plain", "open", "bearer", "prefixed", "host", "post", "auto", "twin"),
    *("weighted", "pre", "answered", "shaped"),
)
"""Routes on which requests are plain, but for the open one."""


def _closed(route: Route, *, world: World) -> Route:
    return replace(route, action=Refuse(500, "closed")) if route.name in world.closed else route


def _listeners(world: World) -> tuple[Listener, ...]:
    wanted = [route for route in _routes(world) if not world.only or route.name in world.only]
    routes = tuple(_closed(route, world=world) for route in wanted)
    elsewhere = _route("elsewhere", to("svc"), auth="bearer", matches=(at("/plain"), at("/open")))
    wild = _route("wild", to("svc"), auth=None, matches=(at("/"),))
    other = _route("other", to("named"), auth=None, matches=(at("/plain"),))
    main = Listener(
        "main",
        MAIN,
        (
            VirtualHost(("*",), routes),
            VirtualHost(("other.example",), (elsewhere, *routes[5:9])),
            VirtualHost(("*.wild.example",), (wild,)),
        ),
    )
    second = Listener(
        "second", OTHER, (VirtualHost(("*",), (other, _route("second-open", auth="second"))),), front=FrontProxies(1)
    )
    clear = Listener("clear", CLEAR, (VirtualHost(("*",), routes[:2]),), https_redirect=True)
    behind = replace(main, name="behind", port=BEHIND, front=FrontProxies(trusted_hops=1))
    return (behind, main, clear) if world.without_other else (behind, main, second, clear)


def _used(world: World) -> set[str]:
    wanted = (route for route in _routes(world) if not world.only or route.name in world.only)
    return {name for route in wanted for name in route.transformations}


@lru_cache(maxsize=256)
def config_of(world: World) -> GatewayConfig:
    """Return the config without its credentials."""
    return GatewayConfig(
        listeners=_listeners(world),
        upstreams=UPSTREAMS,
        auth_plans=AUTH_PLANS,
        transformations=tuple(plan for plan in TRANSFORMATIONS if plan.name in _used(world)),
    )


@lru_cache(maxsize=256)
def assembled(world: World, *, start: float) -> Assembled:
    """Return what a worker puts into service; ``start``: the wall's time of the conversation's beginning."""
    expires_at = int(start) + world.expiring
    keys = credentials(world.keys, token=world.token, expires_at=expires_at, confined=world.confined)
    routes_hash = str(hash(replace(world, keys=NAMES, token="", expiring=0, confined=False)))
    index = CredentialIndex.of(keys, sources(world.keys, token=world.token))
    return Assembled(routes=config_of(world), routes_hash=routes_hash, credentials=index)
