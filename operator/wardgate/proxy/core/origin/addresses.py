"""The one form in which a caller's address is told: without port and zone, and IPv4 as itself where IPv6 carries it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from wardgate.text_codec import from_bytes

_LONGEST = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")
_PORT_DIGITS = 5
_NO_PORT = b"0"


def told_form(address: IPv4Address | IPv6Address) -> str:
    """Return an address as text."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(address if mapped is None else mapped)


def shown_address(peer: str) -> str:
    """Return a socket's address as it is told; a text that is no address, such as an empty one, as it is."""
    bare = peer.partition("%")[0]
    if ":" not in bare:
        return bare
    try:
        return told_form(IPv6Address(bare))
    except ValueError:
        return bare


def read_address(member: bytes) -> str | None:
    """Read an address as proxies write it, with a port or without; None: there is none."""
    if len(member) > _LONGEST or b"%" in member:
        return None
    host, port = _split(member)
    if not (port.isdigit() and len(port) <= _PORT_DIGITS):
        return None
    try:
        return told_form(IPv6Address(from_bytes(host)) if b":" in host else IPv4Address(from_bytes(host)))
    except ValueError:
        return None


def _split(member: bytes) -> tuple[bytes, bytes]:
    """Return the address and the port, one where none is written too; an empty text for what is neither."""
    if member.startswith(b"["):
        host, _, rest = member[1:].partition(b"]")
        port = rest[1:] if rest.startswith(b":") else b"" if rest else _NO_PORT
        return (host if b":" in host else b""), port
    if member.count(b":") == 1:
        host, _, port = member.partition(b":")
        return host, port
    return member, _NO_PORT
