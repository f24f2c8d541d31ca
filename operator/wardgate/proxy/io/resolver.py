"""From an endpoint to the addresses that may be dialled.

Invariant 12 is enforced here and only here: whatever a name resolves to is judged address by address, at every connect,
and the connection goes to the very address that was judged. An installation's pin (``--resolve``) replaces both the
name and the judgement. ``HTTP_PROXY`` is never read.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from wardgate.ir import Guard
from wardgate.proxy.core.addresses import AddressRules
from wardgate.proxy.io.errors import AddressRefused, Unresolvable

Lookup: TypeAlias = Callable[[str, int], Awaitable[tuple[str, ...]]]

_TTL = 5.0
_MAX_CACHED = 4096


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and port to dial."""

    ip: str
    port: int


async def system_lookup(host: str, port: int) -> tuple[str, ...]:
    """Ask the system's resolver; addresses in its order, each once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


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
    """Answers are kept for five seconds, so that a burst of connects asks once. ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        pins: Mapping[tuple[str, int], Address],
        lookup: Lookup = system_lookup,
        clock: Callable[[], float],
    ) -> None:
        self._pins = pins
        self._lookup = lookup
        self._clock = clock
        self._cache: dict[str, tuple[float, tuple[str, ...]]] = {}
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
        now = self._clock()
        cached = self._cache.get(host)
        if cached is not None and cached[0] > now:
            return cached[1]
        try:
            addresses = await self._lookup(host, port)
        except (OSError, UnicodeError) as error:
            detail = f"The name {host} does not resolve."
            raise Unresolvable(detail) from error
        if not addresses:
            detail = f"The name {host} has no address."
            raise Unresolvable(detail)
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
        self._cache[host] = (now + _TTL, addresses)
        return addresses
