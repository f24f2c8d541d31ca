"""A config made ready for requests: listeners, their hosts and routes, and the plans those share.

A table is built beside the one that serves, in slices (``TableBuilder.step``), and flipped in by one pointer; requests
in flight keep the one they began with (invariant 10). Plans and upstreams that did not change are taken over as they
are, with what they have learnt; so are the routes and hosts that nothing changed for (``takeover``). Nothing here
raises on a config: what cannot be compiled, or names a plan, a transformation or an upstream that does not exist,
closes the routes that need it (503) and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Final

from wardgate.inja import LimitError
from wardgate.ir import (
    DirectResponse,
    Forward,
    GatewayConfig,
    Listener,
    PrefixRewrite,
    Redirect,
    Refuse,
    RegexRewrite,
    Route,
    VirtualHost,
)
from wardgate.proxy.core.auth.authentication import USER_ID, CompiledAuth, compile_auth
from wardgate.proxy.core.grammar import is_host, is_sendable_path
from wardgate.proxy.core.http1.decoders import import_libraries
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS, closed_route, direct_response
from wardgate.proxy.core.routing.derived import unseen, veil_on_arrival, veil_over
from wardgate.proxy.core.routing.key_headers import KeyHeaders
from wardgate.proxy.core.routing.matching import CompiledMatch
from wardgate.proxy.core.routing.plans import (
    Action,
    CompiledRoute,
    ForwardPlan,
    Redirection,
    compile_forward,
)
from wardgate.proxy.core.routing.rewrites import PathRewrite, compile_rewrite
from wardgate.proxy.core.routing.route_index import HostIndex, RouteIndex, compile_matches
from wardgate.proxy.core.routing.takeover import PreparedHost, PreparedRoute, TableDelta, changed_names
from wardgate.proxy.core.transform.compiler import compile_transformation
from wardgate.proxy.core.transform.transformation import CompiledTransformation
from wardgate.proxy.core.upstream.destinations import CompiledUpstream
from wardgate.text_codec import to_bytes

_UNKNOWN_PLAN = REFUSALS[ReplyReason.UNKNOWN_PLAN]
_GLANCES: Final = 16
"""Routes that are looked at, and not compiled, in one step."""


class CompiledListener:
    """One port. ``spec`` is what the I/O binds and its certificates."""

    __slots__ = ("_hosts", "https_redirect", "name", "port", "spec")

    def __init__(self, spec: Listener, hosts: Mapping[str, RouteIndex]) -> None:
        self.spec = spec
        self.name = spec.name
        self.port = spec.port
        self.https_redirect = spec.https_redirect
        self._hosts = HostIndex(hosts)

    def find(self, request: Request) -> tuple[CompiledMatch, CompiledRoute] | None:
        """Return the route that takes the request, and the matcher by which it does.

        None also where a pattern might take too long for what it is asked about: whether the route is the one cannot be
        told, and another one might be less guarded.
        """
        routes = self._hosts.find(request.authority)
        try:
            return None if routes is None else routes.find(request)
        except LimitError:
            return None

    def find_again(
        self, request: Request, seen_by: Callable[[str], Request]
    ) -> tuple[CompiledMatch, CompiledRoute] | None:
        """The same for a request with tokens on it. ``seen_by`` gives what a matcher of an owner's may see of it."""
        routes = self._hosts.find(request.authority)
        try:
            return None if routes is None else routes.find_again(request, seen_by)
        except LimitError:
            return None


class Table:
    """Everything of one revision but its credentials. Read-only once built."""

    __slots__ = (
        "auth_plans",
        "config",
        "environment",
        "hosts",
        "key_headers",
        "listeners",
        "transformations",
        "upstreams",
    )

    def __init__(self, config: GatewayConfig, environment: Mapping[str, str]) -> None:
        self.config = config
        self.environment = environment
        self.listeners: dict[int, CompiledListener] = {}
        self.hosts: dict[tuple[str, tuple[str, ...]], PreparedHost] = {}
        """By the listener's name and their domains."""
        self.key_headers: dict[str, KeyHeaders] = {}
        """By the listener's name."""
        self.upstreams: dict[str, CompiledUpstream] = {}
        self.auth_plans: dict[str, tuple[object, CompiledAuth | None]] = {}
        self.transformations: dict[str, tuple[object, CompiledTransformation | None]] = {}


class TableBuilder:
    """Builds one table. ``environment`` is the process's; templates see of it what the config lists.

    ``previous``: the table to take unchanged parts from.
    """

    def __init__(self, config: GatewayConfig, environment: Mapping[str, str], *, previous: Table | None = None) -> None:
        visible = {name: environment[name] for name in config.template_env if name in environment}
        self._table = Table(config, visible)
        self._previous = previous or Table(GatewayConfig(), {})
        self._changes = TableDelta()
        self._steps = self._work()
        self._done = False

    def step(self) -> bool:
        """Compile one more plan, upstream or route, or take some over; return whether there is more to do."""
        if not self._done:
            self._done = next(self._steps, None) is None
        return not self._done

    def finish(self) -> Table:
        """Do all that is left at once."""
        while self.step():
            pass
        return self._table

    @property
    def table(self) -> Table | None:
        """The table, once it is complete."""
        return self._table if self._done else None

    def _work(self) -> Iterator[object]:
        yield from self._upstreams()
        yield from self._auth_plans()
        yield from self._transformations()
        self._changes = self._find_changes()
        for listener in self._table.config.listeners:
            yield from self._listener(listener)

    def _upstreams(self) -> Iterator[object]:
        for spec in self._table.config.upstreams:
            held = self._previous.upstreams.get(spec.name)
            self._table.upstreams[spec.name] = (
                held if held is not None and held.spec == spec else CompiledUpstream(spec)
            )
            yield spec

    def _auth_plans(self) -> Iterator[object]:
        for plan in self._table.config.auth_plans:
            held = self._previous.auth_plans.get(plan.name)
            fresh = held is None or held[0] != plan
            self._table.auth_plans[plan.name] = (plan, compile_auth(plan)) if held is None or fresh else held
            yield plan

    def _transformations(self) -> Iterator[object]:
        table, previous = self._table, self._previous
        limits = table.config.template_limits
        reusable = previous.environment == table.environment and previous.config.template_limits == limits
        for plan in table.config.transformations:
            held = previous.transformations.get(plan.name) if reusable else None
            if held is None or held[0] != plan:
                # The variables are the platform's: a tenant's templates would show it what stands in them.
                environment = {} if plan.owner else table.environment
                held = (plan, compile_transformation(plan, environment=environment, limits=limits))
            table.transformations[plan.name] = held
            yield plan

    def _find_changes(self) -> TableDelta:
        old, new = self._previous, self._table
        return TableDelta(
            auth_plans=changed_names(old.auth_plans, new.auth_plans),
            transformations=changed_names(old.transformations, new.transformations),
            upstreams=changed_names(old.upstreams, new.upstreams),
            everything=old.config.template_limits != new.config.template_limits,
        )

    def _listener(self, listener: Listener) -> Iterator[object]:
        hosts: dict[str, RouteIndex] = {}
        keys = self._table.key_headers[listener.name] = yield from self._key_headers(listener)
        same_keys = keys.same_as(self._previous.key_headers.get(listener.name, KeyHeaders()))
        for virtual_host in listener.virtual_hosts:
            key = (listener.name, virtual_host.domains)
            held = self._previous.hosts.get(key) if same_keys else None
            self._table.hosts[key] = host = yield from self._host(virtual_host, held, keys)
            for domain in virtual_host.domains:
                hosts.setdefault(domain, host.index)
        self._table.listeners.setdefault(listener.port, CompiledListener(listener, hosts))
        yield listener

    def _key_headers(self, listener: Listener) -> Generator[object, None, KeyHeaders]:
        found = KeyHeaders()
        for virtual_host in listener.virtual_hosts:
            routes = virtual_host.routes
            for start in range(0, len(routes), _GLANCES):
                for route in routes[start : start + _GLANCES]:
                    auth = self._auth(route)
                    found.add(route.owner, frozenset() if auth is None else auth.keys)
                yield virtual_host
        return found

    def _host(
        self, spec: VirtualHost, held: PreparedHost | None, keys: KeyHeaders
    ) -> Generator[object, None, PreparedHost]:
        if held is not None and held.spec == spec and (yield from self._untouched(spec)):
            return held
        host = PreparedHost(spec)
        for route in spec.routes:
            known = None if held is None else held.routes.get(route.name)
            if known is None or known.spec != route or self._changes.touch(route):
                known = self._prepare(route, keys)
            host.add(known)
            yield route
        return host

    def _untouched(self, host: VirtualHost) -> Generator[object, None, bool]:
        for start in range(0, len(host.routes), _GLANCES):
            if any(map(self._changes.touch, host.routes[start : start + _GLANCES])):
                return False
            yield host
        return True

    def _prepare(self, route: Route, keys: KeyHeaders) -> PreparedRoute:
        foreign = keys.foreign_to(route.owner)
        hidden = unseen(self._auth(route), owner=route.owner, foreign=foreign)
        matches = tuple(compile_matches(route, self._table.config.template_limits, unseen=hidden))
        broken = any(match.broken for _, _, match in matches)
        compiled = None if broken else self._route(route, foreign)
        return PreparedRoute(route, matches, compiled or CompiledRoute(route.name, None, closed=_UNKNOWN_PLAN))

    def _route(self, route: Route, foreign: frozenset[bytes]) -> CompiledRoute | None:
        """Compile what a route does; None: something it needs is missing or unknown.

        ``foreign``: headers with other owners' keys.
        """
        if isinstance(route.action, Refuse):
            return CompiledRoute(route.name, None, closed=closed_route(route.action.status, route.action.reason))
        auth = self._auth(route)
        if auth is None and route.auth is not None:
            return None
        action = self._action(route)
        plans = [self._table.transformations.get(name, (None, None))[1] for name in route.transformations]
        known = [plan for plan in plans if plan is not None]
        if action is None or len(known) != len(plans):
            return None
        post = tuple(plan for plan in known if plan.phase == "post")
        recalculates = any(plan.recalculate for plan in post)
        is_asked = auth is not None and (recalculates or any(plan.owner for plan in known))
        veil = arriving = None
        if auth is not None and is_asked:
            veil = veil_over(auth, known, owner=route.owner)
            arriving = veil_on_arrival(auth, known, owner=route.owner, foreign=foreign)
        pre = tuple(plan for plan in known if plan.phase == "pre")
        if isinstance(action, ForwardPlan) and any(plan.reads_response for plan in known):
            action = replace(action, asks_identity=True)
            import_libraries()
        return CompiledRoute(
            route.name,
            action,
            auth=auth,
            strip=foreign | {USER_ID} if auth is None else auth.on_arrival | (foreign - auth.keys),
            pre=pre,
            post=post,
            pre_responses=tuple(plan for plan in pre if plan.response is not None),
            post_responses=tuple(plan for plan in post if plan.response is not None),
            owner=route.owner,
            veil=veil,
            veil_on_arrival=arriving,
            recalculates=recalculates,
        )

    def _auth(self, route: Route) -> CompiledAuth | None:
        return None if route.auth is None else self._table.auth_plans.get(route.auth, (None, None))[1]

    def _action(self, route: Route) -> Action | None:
        action: object = route.action
        if isinstance(action, DirectResponse):
            return direct_response(action.status, action.body)
        if isinstance(action, Redirect):
            return _redirection(action)
        return self._forward(action) if isinstance(action, Forward) else None

    def _forward(self, action: Forward) -> Action | None:
        found = [(self._table.upstreams.get(each.upstream), each.weight) for each in action.upstreams]
        upstreams = [(upstream, weight) for upstream, weight in found if upstream is not None]
        rewrite = None if action.path_rewrite is None else self._rewrite(action.path_rewrite)
        if len(upstreams) != len(found) or (rewrite is None and action.path_rewrite is not None):
            return None
        if action.host_rewrite is not None and not is_host(to_bytes(action.host_rewrite)):
            return None
        return compile_forward(action, upstreams=upstreams, rewrite=rewrite)

    def _rewrite(self, rewrite: PrefixRewrite | RegexRewrite) -> PathRewrite | None:
        return compile_rewrite(rewrite, limits=self._table.config.template_limits)


def build_table(config: GatewayConfig, environment: Mapping[str, str]) -> Table:
    """Build a table at once, where nothing else waits."""
    return TableBuilder(config, environment).finish()


def _redirection(action: Redirect) -> Redirection | None:
    host = None if action.host is None else to_bytes(action.host)
    path = None if action.path is None else to_bytes(action.path)
    if (host is not None and not is_host(host)) or (path is not None and not is_sendable_path(path)):
        return None
    return Redirection(action.code, host, path)
