"""The installation's decisions for everyone: tenancy, namespaces, limits. Policies cannot change any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.setting import (
    CONFIG_SIZE,
    DOMAIN,
    ENDPOINTS,
    FLAG,
    LABELS,
    NAME,
    NAMESPACE,
    NETWORKS,
    PORT,
    PORTS,
    SIZE,
    by_option,
    count,
    setting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Input of ``translate`` beside the objects. Every default is the one the workshop needs."""

    tenancy: Literal["shared", "isolated"] = by_option("shared", "--tenancy")
    """``isolated``: objects outside ``platform_namespaces`` act only within their own namespace."""
    platform_namespaces: frozenset[str] = by_option(frozenset(), "--platform-namespace")
    """Namespaces whose objects act everywhere under ``isolated``."""
    watch_namespaces: frozenset[str] = by_option(frozenset(), "--watch-namespace")
    """Namespaces whose policies, gateways and routes are read; empty: all."""
    key_namespaces: frozenset[str] = by_option(frozenset(), "--key-namespace")
    """Namespaces whose Secrets are read; empty: all."""
    refused_secrets: frozenset[str] = frozenset()
    """Named Secrets, ``NAMESPACE/NAME``, that the API server does not let the operator read: found out, never set."""
    require_auth: bool = by_option(False, "--require-auth")
    """Refuse (401) every request of a route without a valid ExtAuthPolicy."""
    foreign_guards: Literal["close", "ignore"] = by_option("close", "--foreign-guards")
    """``close``: refuse (403) requests of routes that only kinds which are not implemented here guard."""
    user_id_to_external: bool = setting(False, FLAG)
    """Send ``x-user-id`` (the key Secret's name) to external services too."""
    forwarded_to_external: bool = setting(False, FLAG)
    """Send ``X-Forwarded-For``, ``-Proto`` and ``-Host``, the way that a request came, to external services too."""
    gateway_labels: Mapping[str, str] | None = setting(None, LABELS)
    """Labels of this installation's gateway for ``VirtualGateway.workloads``; None matches every selector."""
    gateway_namespace: str | None = setting(None, NAMESPACE)
    """Namespace of this installation's gateway for the same; None matches every namespace."""
    cluster_name: str | None = setting(None, NAME)
    """This cluster's name in ``cluster`` fields; None matches any name."""
    cluster_domain: str = setting("cluster.local", DOMAIN)
    """Suffix of Services' DNS names."""
    template_env: frozenset[str] = by_option(frozenset(), "--template-env")
    """Environment variables of the proxy that ``env()`` may read."""
    files_root: str | None = by_option(None, "--files-root")
    """The one folder, on the proxy, below which ``files`` and ``caCertificates`` may lie; None allows no file."""
    unix_root: str | None = by_option(None, "--unix-root")
    """The one folder, on the proxy, below which ``unix://`` endpoints may lie; None allows none."""
    allow_cidrs: tuple[str, ...] = setting((), NETWORKS)
    """Upstream networks allowed although a rule of invariant 12 would refuse them."""
    deny_cidrs: tuple[str, ...] = setting((), NETWORKS)
    """Upstream networks refused besides those of invariant 12."""
    denied_addresses: tuple[str, ...] = setting((), ENDPOINTS)
    """``ip:port`` of the API server and the like, never dialled."""
    allow_loopback: bool = setting(False, FLAG)
    """Let upstreams be on the loopback interface: for a gateway on a developer's machine only."""
    admin_port: int = setting(0, PORT)
    """The port of the proxies' admin endpoints, which no listener may have; 0: not known."""
    service_ports: frozenset[int] = setting(frozenset(), PORTS)
    """The ports at which callers reach the proxies; a listener on another one is told. Empty: not known."""
    credential_bytes: int = setting(32 * 1024, SIZE)
    """A key Secret whose credential is larger is refused, alone."""
    config_bytes: int = setting(32 * 1024 * 1024, CONFIG_SIZE)
    """Bytes in clear that the operator publishes at most; of a larger config nothing but keys goes on."""
    guest_tables: int = setting(50, count())
    """RouteTables of one tenant, on one listener, under hosts that lie within another owner's; more are left out."""
    template_limits: TemplateLimits = DEFAULT_LIMITS
    """Bounds of every template (invariant 9); checked when a policy is translated and when it runs."""
