"""From an endpoint to the addresses that may be dialled.

Invariant 12 is enforced here and only here: whatever a name resolves to is judged address by address, at every connect,
and the connection goes to the very address that was judged. An installation's pin (``--resolve``) replaces both the
name and the judgement. ``HTTP_PROXY`` is never read.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wardgate.ir import Guard
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.proxy.io.upstream.errors import AddressRefused
from wardgate.proxy.io.upstream.name_cache import Lookup, NameCache


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and port to dial."""

    ip: str
    port: int


def is_local_address(ip: str) -> bool:
    """Whether an address is one of this host's: to itself the kernel would send from that very address.

    Connecting a datagram socket sends nothing; it only asks for the route.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((ip, 9))
            return str(probe.getsockname()[0]) == ip
    except OSError:
        return False


class Resolver:
    """``clock`` is monotonic; ``stale``: for how many seconds old addresses serve while no name server answers.

    ``report`` takes a sentence whenever they do.
    """

    def __init__(
        self,
        *,
        pins: Mapping[tuple[str, int], Address],
        lookup: Lookup,
        clock: Callable[[], float],
        stale: float,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._pins = pins
        self._names = NameCache(lookup=lookup, clock=clock, stale=stale, report=report)
        self.rules = AddressRules(Guard())
        """Replaced with every config."""

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses that may be dialled, in the resolver's order. Raises ``UpstreamError``."""
        pinned = self._pins.get((host.lower().rstrip("."), port))
        if pinned is not None:
            return (pinned,)
        refusals = []
        allowed = []
        for ip in await self._addresses(host, port):
            refusal = self.rules.refusal(ip, port)
            if refusal is None:
                allowed.append(Address(ip, port))
            else:
                refusals.append(f"{host} may not be dialled at {ip}: {refusal}.")
        if not allowed:
            raise AddressRefused(refusals[0])
        return tuple(allowed)

    async def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        return (host,) if _is_address(host) else await self._names.addresses(host, port)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
