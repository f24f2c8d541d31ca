"""The whole configuration that a proxy serves."""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.inja.limits import TemplateLimits
from wardgate.ir.auth import AuthPlan
from wardgate.ir.credentials import Credential, TokenSource
from wardgate.ir.listeners import Listener
from wardgate.ir.transformations import TransformationPlan
from wardgate.ir.upstreams import Upstream


@dataclass(frozen=True, slots=True)
class Guard:
    """Upstream addresses that are refused (invariant 12), beyond those that always are.

    ``denied_addresses``: ``ip:port`` of the API server and the like. ``allow_cidrs`` and ``deny_cidrs`` are settings of
    the installation; ``allow_loopback`` is for a gateway on a developer's machine.
    """

    denied_addresses: tuple[str, ...] = ()
    allow_cidrs: tuple[str, ...] = ()
    deny_cidrs: tuple[str, ...] = ()
    allow_loopback: bool = False


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Every tuple is sorted by name, so that the same input gives the same bytes: credentials by key set and digest,
    token sources by namespace and name.

    ``template_env`` names the variables that ``env()`` may read; each proxy reads their values from its own
    environment.
    """

    listeners: tuple[Listener, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    auth_plans: tuple[AuthPlan, ...] = ()
    transformations: tuple[TransformationPlan, ...] = ()
    credentials: tuple[Credential, ...] = ()
    token_sources: tuple[TokenSource, ...] = ()
    template_env: tuple[str, ...] = ()
    template_limits: TemplateLimits = field(default_factory=TemplateLimits)
    guard: Guard = field(default_factory=Guard)
