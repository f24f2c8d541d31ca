"""The proxies in front of a listener, prepared: whom the gateway believes, and how far back."""

from __future__ import annotations

from wardgate.ir import FrontProxies
from wardgate.proxy.core.auth.networks import Networks


class CompiledFront:
    """``hops``: members of ``X-Forwarded-For`` that count. ``proxy_protocol``: connections begin with its header."""

    __slots__ = ("_is_limited", "_networks", "hops", "proxy_protocol")

    def __init__(self, spec: FrontProxies) -> None:
        self.hops = spec.trusted_hops
        self.proxy_protocol = spec.proxy_protocol
        # A network that cannot be read holds nobody, and so the list still limits.
        self._is_limited = bool(spec.trusted_networks)
        self._networks = Networks(spec.trusted_networks)

    def believes(self, peer: str) -> bool:
        """Whether what a connection from this address says of its callers counts. Whoever connects, without a list."""
        return not self._is_limited or self._networks.hold(peer)


NO_PROXIES = CompiledFront(FrontProxies())
"""Callers connect by themselves, and are believed nothing."""


def compile_front(spec: FrontProxies) -> CompiledFront:
    """Prepare what a listener's config says. Listeners without proxies share one object over all tables."""
    return NO_PROXIES if spec == FrontProxies() else CompiledFront(spec)
