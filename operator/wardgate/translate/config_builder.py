"""From routes in their places and what is attached to them to the neutral model.

Only what some route uses goes into the config: plans, upstreams, and the credentials of the key sets that the plans
name. A proxy holds no token that no route of it could send.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

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
    TransformationPlan,
    VirtualHost,
)
from wardgate.settings import Settings
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.listening.ports import OpenListener
from wardgate.translate.policies.auth_attachment import AuthAttachment
from wardgate.translate.policies.transformation_attachment import TransformationAttachment
from wardgate.translate.policies.transformations import template_limits
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.virtual_hosts import HostPlan

_PlanT = TypeVar("_PlanT", AuthPlan, TransformationPlan)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a config is made of. The routes of ``hosts`` are numbered through, as the attachments count them."""

    listeners: Sequence[OpenListener]
    hosts: Sequence[HostPlan]
    auth: AuthAttachment
    transformations: TransformationAttachment
    auth_plans: Iterable[AuthPlan]
    transformation_plans: Iterable[TransformationPlan]
    credentials: Iterable[Credential]
    upstreams: Upstreams


def build_config(parts: Parts, settings: Settings) -> GatewayConfig:
    """Put the parts together, sorted."""
    by_listener: dict[str, list[VirtualHost]] = {}
    routes = _routes(parts)
    for host in parts.hosts:
        own = tuple(next(routes) for _ in host.instances)
        by_listener.setdefault(host.listener, []).append(VirtualHost(host.domains, own))
    listeners = tuple(_listener(one, by_listener) for one in sorted(parts.listeners, key=lambda one: one.name))
    all_routes = [route for one in listeners for host in one.virtual_hosts for route in host.routes]
    plans = _used(parts.auth_plans, {route.auth for route in all_routes})
    key_sets = {step.key_set for plan in plans for step in plan.steps if isinstance(step, ApiKeyStep)}
    return GatewayConfig(
        listeners=listeners,
        upstreams=parts.upstreams.named(_upstream_names(all_routes)),
        auth_plans=plans,
        transformations=_used(
            parts.transformation_plans, {name for route in all_routes for name in route.transformations}
        ),
        credentials=tuple(one for one in parts.credentials if one.key_set in key_sets),
        template_env=tuple(sorted(settings.template_env)),
        template_limits=template_limits(settings.template_limits),
        guard=Guard(
            denied_addresses=tuple(sorted(settings.denied_addresses)),
            allow_cidrs=tuple(sorted(settings.allow_cidrs)),
            deny_cidrs=tuple(sorted(settings.deny_cidrs)),
            allow_loopback=settings.allow_loopback,
        ),
    )


def _listener(listener: OpenListener, hosts: Mapping[str, list[VirtualHost]]) -> Listener:
    return Listener(
        name=listener.name,
        port=listener.plan.port,
        virtual_hosts=tuple(sorted(hosts.get(listener.name, ()), key=lambda host: host.domains)),
        tls=listener.plan.tls,
        https_redirect=listener.plan.https_redirect,
    )


def _routes(parts: Parts) -> Iterator[Route]:
    """All routes in the order of their numbers, each under a name of its own."""
    names: dict[str, int] = {}
    number = 0
    for host in parts.hosts:
        for instance in host.instances:
            base = f"{instance.table.namespace}/{instance.table.name}/{instance.name}@{host.listener}"
            names[base] = names.get(base, 0) + 1
            name = base if names[base] == 1 else f"{base}#{names[base]}"
            yield _route(name, instance, number, parts)
            number += 1


def _route(name: str, instance: RouteInstance, number: int, parts: Parts) -> Route:
    """A route with what is attached to it. Authentication is asked for first, whatever the route answers then."""
    if number in parts.auth.closed:
        return Route(name, parts.auth.closed[number], instance.matches)
    action: RouteAction = parts.transformations.closed.get(number, instance.action)
    transformations = () if isinstance(action, Refuse) else parts.transformations.plans.get(number, ())
    return Route(name, action, instance.matches, parts.auth.plans.get(number), transformations)


def _used(plans: Iterable[_PlanT], names: set[str | None] | set[str]) -> tuple[_PlanT, ...]:
    return tuple(sorted((plan for plan in plans if plan.name in names), key=lambda plan: plan.name))


def _upstream_names(routes: Iterable[Route]) -> Iterator[str]:
    for route in routes:
        if isinstance(route.action, Forward):
            yield from (target.upstream for target in route.action.upstreams)
