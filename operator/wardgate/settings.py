"""Decisions of an installation for everyone: tenancy, namespaces, limits. Policies cannot change any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Input of ``translate`` beside the objects. Every default is the one the workshop needs."""

    tenancy: Literal["shared", "isolated"] = "shared"
    """``isolated``: objects outside ``platform_namespaces`` act only within their own namespace."""
    platform_namespaces: frozenset[str] = frozenset()
    """Namespaces whose objects act everywhere under ``isolated``."""
    require_auth: bool = False
    """Refuse (401) every request of a route without a valid ExtAuthPolicy."""
    foreign_guards: Literal["close", "ignore"] = "close"
    """``close``: refuse (403) requests of routes that only kinds which are not implemented here guard."""
    user_id_to_external: bool = False
    """Send ``x-user-id`` (the key Secret's name) to external services too."""
    gateway_labels: Mapping[str, str] | None = None
    """Labels of this installation's gateway for ``VirtualGateway.workloads``; None matches every selector."""
    gateway_namespace: str | None = None
    """Namespace of this installation's gateway for the same; None matches every namespace."""
    cluster_name: str | None = None
    """This cluster's name in ``cluster`` fields; None matches any name."""
    cluster_domain: str = "cluster.local"
    """Suffix of Services' DNS names."""
    template_env: frozenset[str] = frozenset()
    """Environment variables of the proxy that ``env()`` may read."""
    files_root: str | None = None
    """The one folder, on the proxy, below which ``files`` and ``caCertificates`` may lie; None allows no file."""
    unix_root: str | None = None
    """The one folder, on the proxy, below which ``unix://`` endpoints may lie; None allows none."""
    allow_cidrs: tuple[str, ...] = ()
    """Upstream networks allowed although a rule of invariant 12 would refuse them."""
    deny_cidrs: tuple[str, ...] = ()
    """Upstream networks refused besides those of invariant 12."""
    denied_addresses: tuple[str, ...] = ()
    """``ip:port`` of the API server and the like, never dialled."""
    allow_loopback: bool = False
    """Let upstreams be on the loopback interface: for a gateway on a developer's machine only."""
    credential_bytes: int = 32 * 1024
    """A key Secret whose credential is larger is refused, alone."""
    guest_tables: int = 50
    """RouteTables of one tenant, on one listener, under hosts that lie within another owner's; more are left out."""
    template_limits: TemplateLimits = DEFAULT_LIMITS
    """Bounds of every template (invariant 9); checked when a policy is translated and when it runs."""
