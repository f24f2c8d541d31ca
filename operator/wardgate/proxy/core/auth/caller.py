"""The sender of a request, as far as the connection tells. Budgets and limits count it until a key tells more."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.text_codec import to_bytes

_SUBNET = 8
"""Bytes of an IPv6 address that count: whoever has one address of a /64 has them all (RFC 6177)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One sender. ``address`` as ``counted_address`` gives it; ``guesses`` is shared by all callers of a process.

    ``whole``: the address as text, IPv4 as itself; empty or no address where there is none.
    """

    address: bytes = b""
    guesses: Guesses = field(default_factory=Guesses)
    whole: str = ""


def counted_address(peer: str) -> bytes:
    """Return the counted part of a peer's address: 4 bytes of IPv4, mapped or not, 8 of IPv6; else the text itself."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return to_bytes(peer)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address.packed[:_SUBNET] if mapped is None else mapped.packed
