"""A config made ready for requests: listeners, their hosts and routes, and the plans those share.

A table is built beside the one that serves, in slices (``TableBuilder.step``), and flipped in by one pointer; requests
in flight keep the one they began with (invariant 10). Plans and upstreams that did not change are taken over as they
are, with what they have learnt; so are the routes and hosts that nothing changed for (``takeover``). Nothing here
raises on a config: what cannot be compiled, or names a plan, a transformation or an upstream that does not exist,
closes the routes that need it (503) and no other.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Final

from wardgate.ir import GatewayConfig, Listener, VirtualHost
from wardgate.proxy.core.auth.compiler import compile_auth
from wardgate.proxy.core.routing.key_headers import KeyHeaders
from wardgate.proxy.core.routing.route_compiler import RouteCompiler
from wardgate.proxy.core.routing.route_index import RouteIndex
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.core.routing.takeover import PreparedHost, TableDelta, changed_names, changed_plans
from wardgate.proxy.core.transform.compiler import compile_transformation
from wardgate.proxy.core.upstream.destinations import CompiledUpstream

_GLANCES: Final = 16
"""Routes that are looked at, and not compiled, in one step."""


class TableBuilder:
    """Builds one table. ``environment`` is the process's; templates see of it what the config lists.

    ``previous``: the table to take unchanged parts from.
    """

    def __init__(self, config: GatewayConfig, environment: Mapping[str, str], *, previous: Table | None = None) -> None:
        visible = {name: environment[name] for name in config.template_env if name in environment}
        self._table = Table(config, visible)
        self._previous = previous or Table(GatewayConfig(), {})
        self._routes = RouteCompiler(self._table)
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
            auth_plans=changed_plans(old.auth_plans, new.auth_plans),
            transformations=changed_plans(old.transformations, new.transformations),
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
            self._table.hosts[key] = host = yield from self._host(virtual_host, held=held, keys=keys)
            for domain in virtual_host.domains:
                # The first host that claims a domain keeps it, as the first listener of a port does.
                hosts.setdefault(domain, host.index)
        self._table.listeners.setdefault(listener.port, CompiledListener(listener, hosts))
        yield listener

    def _key_headers(self, listener: Listener) -> Generator[object, None, KeyHeaders]:
        found = KeyHeaders()
        for virtual_host in listener.virtual_hosts:
            routes = virtual_host.routes
            for start in range(0, len(routes), _GLANCES):
                for route in routes[start : start + _GLANCES]:
                    auth = self._routes.auth(route)
                    found.add(route.owner, frozenset() if auth is None else auth.keys)
                yield virtual_host
        return found

    def _host(
        self, spec: VirtualHost, *, held: PreparedHost | None, keys: KeyHeaders
    ) -> Generator[object, None, PreparedHost]:
        if held is not None and held.spec == spec and (yield from self._untouched(spec)):
            return held
        host = PreparedHost(spec)
        for route in spec.routes:
            known = None if held is None else held.routes.get(route.name)
            if known is None or known.spec != route or self._changes.touch(route):
                known = self._routes.prepare(route, keys)
            host.add(known)
            yield route
        return host

    def _untouched(self, host: VirtualHost) -> Generator[object, None, bool]:
        for start in range(0, len(host.routes), _GLANCES):
            if any(map(self._changes.touch, host.routes[start : start + _GLANCES])):
                return False
            yield host
        return True


def build_table(config: GatewayConfig, environment: Mapping[str, str]) -> Table:
    """Build a table at once, where nothing else waits."""
    return TableBuilder(config, environment).finish()
