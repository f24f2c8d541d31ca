"""Fourth stage: assembles the config without its credentials, from routes and the policies attached to them.

The config holds only parts that some route uses: plans, upstreams, and the names of the key sets whose credentials
belong to it. A proxy holds no token that no route of it could send.

A part that equals one of the last config is that very object, so that the encoder finds the changes by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Final, TypeVar

from wardgate.ir import (
    ApiKeyStep,
    AuthPlan,
    Credential,
    Forward,
    GatewayConfig,
    Guard,
    Listener,
    Refuse,
    Route,
    RouteAction,
    TokenSource,
    TransformationPlan,
    VirtualHost,
)
from wardgate.settings import Settings
from wardgate.translate.keys.idle_bindings import Reached, reached
from wardgate.translate.keys.withheld_tokens import GuardedTenants, guarded_tenants
from wardgate.translate.listening.ports import OpenListener
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.stages.attachment_stage import PolicyAttachment
from wardgate.translate.stages.policy_stage import Policies
from wardgate.translate.stages.route_stage import Routing
from wardgate.translate.tenancy import Tenancy

_PartT = TypeVar("_PartT")
_PlanT = TypeVar("_PlanT", AuthPlan, TransformationPlan)
_NAME: Final = attrgetter("name")
_EMPTY: Final = GatewayConfig()


@dataclass(frozen=True)
class AssembledConfig:
    """``config`` has no credentials; ``key_sets`` names the sets whose credentials belong to it."""

    config: GatewayConfig
    key_sets: frozenset[str]

    def with_credentials(self, credentials: tuple[Credential, ...], sources: tuple[TokenSource, ...]) -> GatewayConfig:
        """The whole config."""
        return replace(self.config, credentials=credentials, token_sources=sources)

    @cached_property
    def reached(self) -> Reached:
        """The hosts that the keys of each set reach."""
        return reached(self.config)

    @cached_property
    def guarded_tenants(self) -> GuardedTenants:
        """The tenants whose routes other owners' policies guard."""
        return guarded_tenants(self.config)


def assemble_config(
    routing: Routing,
    policies: Policies,
    *,
    attached: PolicyAttachment,
    settings: Settings,
    last: AssembledConfig | None,
) -> AssembledConfig:
    """Put the parts together, sorted."""
    before = _EMPTY if last is None else last.config
    listeners = _listeners(routing, attached, before=before, tenancy=Tenancy.of(settings))
    routes = [build_routes for listener in listeners for host in listener.virtual_hosts for build_routes in host.routes]
    plans = [one.value.plan for one in policies.auth if one.value is not None and one.value.plan is not None]
    auth_plans = _used(plans, {build_routes.auth for build_routes in routes}, before=before.auth_plans)
    transformations = _used(
        [one.value.plan for one in policies.transformations if one.value is not None and one.value.plan is not None],
        {name for build_routes in routes for name in build_routes.transformations},
        before=before.transformations,
    )
    config = GatewayConfig(
        listeners=listeners,
        upstreams=_keeping(routing.upstreams.named(_upstream_names(routes)), before.upstreams),
        auth_plans=auth_plans,
        transformations=transformations,
        template_env=tuple(sorted(settings.template_env)),
        template_limits=settings.template_limits,
        guard=Guard(
            denied_addresses=tuple(sorted(settings.denied_addresses)),
            allow_cidrs=tuple(sorted(settings.allow_cidrs)),
            deny_cidrs=tuple(sorted(settings.deny_cidrs)),
            allow_loopback=settings.allow_loopback,
        ),
    )
    if last is not None and last.config == config:
        return last
    return AssembledConfig(
        config, frozenset(step.key_set for plan in auth_plans for step in plan.steps if isinstance(step, ApiKeyStep))
    )


def _listeners(
    routing: Routing, attached: PolicyAttachment, *, before: GatewayConfig, tenancy: Tenancy
) -> tuple[Listener, ...]:
    hosts: dict[str, list[VirtualHost]] = {listener.name: [] for listener in routing.listeners}
    # All routes together, because their names are unique in the config; then dealt out, host by host.
    routes = iter(_keeping(_routes(routing, attached, tenancy=tenancy), _all_routes(before)))
    for host in routing.routed.hosts:
        hosts[host.listener].append(VirtualHost(host.domains, tuple(next(routes) for _ in host.instances)))
    known = {listener.name: listener.virtual_hosts for listener in before.listeners}
    return _keeping(
        (
            _listener(one, hosts[one.name], before=known.get(one.name, ()))
            for one in sorted(routing.listeners, key=_NAME)
        ),
        before.listeners,
    )


def _listener(listener: OpenListener, hosts: Sequence[VirtualHost], *, before: Sequence[VirtualHost]) -> Listener:
    domains = attrgetter("domains")
    return Listener(
        name=listener.name,
        port=listener.plan.port,
        virtual_hosts=_keeping(sorted(hosts, key=domains), before, key=domains),
        tls=listener.plan.tls,
        https_redirect=listener.plan.https_redirect,
        front=listener.plan.front,
    )


def _routes(routing: Routing, attached: PolicyAttachment, *, tenancy: Tenancy) -> Iterator[Route]:
    """All routes in the order of their numbers, each under a name of its own."""
    names: dict[str, int] = {}
    number = 0
    for host in routing.routed.hosts:
        for instance in host.instances:
            base = f"{instance.table.namespace}/{instance.table.name}/{instance.name}@{host.listener}"
            names[base] = names.get(base, 0) + 1
            name = base if names[base] == 1 else f"{base}#{names[base]}"
            build_routes = _route(name, instance, number=number, attached=attached)
            yield replace(build_routes, owner=tenancy.owner(instance.table.namespace))
            number += 1


def _route(name: str, instance: RouteInstance, *, number: int, attached: PolicyAttachment) -> Route:
    """A route with its policies. Authentication comes first, whatever the route's action is."""
    if number in attached.auth.closed:
        return Route(name, attached.auth.closed[number], instance.matches)
    action: RouteAction = attached.transformations.closed.get(number, instance.action)
    transformations = () if isinstance(action, Refuse) else attached.transformations.plans.get(number, ())
    return Route(name, action, instance.matches, attached.auth.plans.get(number), transformations)


def _all_routes(config: GatewayConfig) -> Iterator[Route]:
    for listener in config.listeners:
        for host in listener.virtual_hosts:
            yield from host.routes


def _used(
    plans: Iterable[_PlanT], names: set[str | None] | set[str], *, before: Iterable[_PlanT]
) -> tuple[_PlanT, ...]:
    return _keeping(sorted((plan for plan in plans if plan.name in names), key=_NAME), before)


def _upstream_names(routes: Iterable[Route]) -> Iterator[str]:
    for build_routes in routes:
        if isinstance(build_routes.action, Forward):
            yield from (target.upstream for target in build_routes.action.upstreams)


def _keeping(
    parts: Iterable[_PartT], before: Iterable[_PartT], *, key: Callable[[_PartT], object] = _NAME
) -> tuple[_PartT, ...]:
    """The parts, each replaced by the earlier part of the same key if the two are equal."""
    known: Mapping[object, _PartT] = {key(part): part for part in before}
    return tuple(_kept(part, known.get(key(part))) for part in parts)


def _kept(part: _PartT, known: _PartT | None) -> _PartT:
    return known if known is not None and known == part else part
