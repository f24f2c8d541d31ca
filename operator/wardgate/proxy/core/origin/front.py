"""The proxies in front of a listener, prepared: whom the gateway believes, and how far back."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from wardgate.ir import FrontProxies


class CompiledFront:
    """``hops``: members of ``X-Forwarded-For`` that count. ``proxy_protocol``: connections begin with its header."""

    __slots__ = ("_is_limited", "_networks", "hops", "proxy_protocol")

    def __init__(self, spec: FrontProxies) -> None:
        self.hops = spec.trusted_hops
        self.proxy_protocol = spec.proxy_protocol
        # A network that cannot be read holds nobody, and so the list still limits.
        self._is_limited = bool(spec.trusted_networks)
        self._networks = _networks(spec.trusted_networks)

    def believes(self, peer: str) -> bool:
        """Whether what a connection from this address says of its callers counts. Whoever connects, without a list."""
        if not self._is_limited:
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    found: list[IPv4Network | IPv6Network] = []
    for text in texts:
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            continue
    return tuple(found)


NO_PROXIES = CompiledFront(FrontProxies())
"""Callers connect by themselves, and are believed nothing."""


def compile_front(spec: FrontProxies) -> CompiledFront:
    """Prepare what a listener's config says. Listeners without proxies share one object over all tables."""
    return NO_PROXIES if spec == FrontProxies() else CompiledFront(spec)
