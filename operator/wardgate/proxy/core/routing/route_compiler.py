"""One route made ready: its plans looked up in the table, its action and matchers compiled.

A part that cannot be compiled, or names a plan, a transformation or an upstream that does not exist, closes the route
(503).
"""

from __future__ import annotations

from dataclasses import replace

from wardgate.ir import DirectResponse, Forward, PrefixRewrite, Redirect, Refuse, RegexRewrite, Route
from wardgate.proxy.core.auth.authentication import CompiledAuth
from wardgate.proxy.core.auth.grants import USER_ID
from wardgate.proxy.core.grammar import is_host, is_sendable_path
from wardgate.proxy.core.http1.decoders import import_libraries
from wardgate.proxy.core.provider_forms import PLAIN
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS, closed_route, direct_response
from wardgate.proxy.core.routing.derived import unseen, veil_on_arrival, veil_over
from wardgate.proxy.core.routing.key_headers import KeyHeaders
from wardgate.proxy.core.routing.plans import Action, CompiledRoute, ForwardPlan, Redirection, compile_forward
from wardgate.proxy.core.routing.rewrites import PathRewrite, compile_rewrite
from wardgate.proxy.core.routing.route_index import compile_matches
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.routing.takeover import PreparedRoute
from wardgate.text_codec import to_bytes

_UNKNOWN_PLAN = REFUSALS[ReplyReason.UNKNOWN_PLAN]


class RouteCompiler:
    """Compiles the routes of a table whose plans and upstreams are there already."""

    __slots__ = ("_table",)

    def __init__(self, table: Table) -> None:
        self._table = table

    def prepare(self, route: Route, keys: KeyHeaders) -> PreparedRoute:
        """Compile a route and its matchers. ``keys``: the key headers of the listener, all of them."""
        foreign = keys.foreign_to(route.owner)
        hidden = unseen(self.auth(route), owner=route.owner, foreign=foreign)
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
        auth = self.auth(route)
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
        strip = foreign | {USER_ID} if auth is None else auth.on_arrival | (foreign - auth.keys)
        if isinstance(action, ForwardPlan) and not any(plan.request is not None for plan in known):
            action = replace(action, barred_trailers=strip if auth is None else strip | auth.consumed | auth.keys)
        return CompiledRoute(
            route.name,
            action,
            auth=auth,
            strip=strip,
            pre=pre,
            post=post,
            pre_responses=tuple(plan for plan in pre if plan.response is not None),
            post_responses=tuple(plan for plan in post if plan.response is not None),
            owner=route.owner,
            veil=veil,
            veil_on_arrival=arriving,
            form=action.form if isinstance(action, ForwardPlan) else PLAIN,
            recalculates=recalculates,
        )

    def auth(self, route: Route) -> CompiledAuth | None:
        """Look up what guards a route; None: nothing does, or nothing that is known."""
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


def _redirection(action: Redirect) -> Redirection | None:
    host = None if action.host is None else to_bytes(action.host)
    path = None if action.path is None else to_bytes(action.path)
    if (host is not None and not is_host(host)) or (path is not None and not is_sendable_path(path)):
        return None
    return Redirection(action.code, host, path)
