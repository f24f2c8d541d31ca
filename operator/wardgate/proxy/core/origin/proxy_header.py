r"""The PROXY protocol, versions 1 and 2: the header with which a load balancer introduces a connection.

The rules, of HAProxy's ``proxy-protocol.txt``, read strictly:

Rule 1: the header comes first, whole, before anything of TLS or HTTP. A connection without one is refused: where it is
        asked for, whoever leaves it out has not come through the load balancer.
Rule 2: version 1 is one line of at most 107 bytes that ends with CR LF, with single blanks: ``PROXY TCP4 source
        destination port port``. ``UNKNOWN`` introduces nobody, whatever else its line says.
Rule 3: version 2 begins with twelve bytes that no other protocol begins with, and is bounded here. Its command is
        PROXY, or LOCAL: the balancer's own connection, such as a health check.
Rule 4: TCP over IPv4 and IPv6 has an address; UNSPEC and Unix sockets introduce nobody. Datagrams cannot come here.
Rule 5: what follows the addresses (TLVs) is not read.

Nobody introduced: the connection counts as the balancer's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from wardgate.proxy.core.origin.addresses import told_form
from wardgate.text_codec import from_bytes

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LONGEST = 16 + 4096
"""Bytes of the longest header that is read. Load balancers send less than 600."""

_WORD = b"PROXY "
_LONGEST_LINE = 107
_LINE = re.compile(rb"PROXY TCP([46]) ([^ ]+) ([^ ]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})")
_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?")
_HIGHEST_PORT = 0xFFFF
_FIXED = 16
_LOCAL, _PROXY = 0x20, 0x21
_IPV4, _IPV6 = 0x11, 0x21
_ADDRESSES = {_IPV4: 12, _IPV6: 36, 0x31: 216, 0x32: 216}
"""Bytes of source, destination and ports, by family and transport: TCP over IPv4 and IPv6, two of Unix sockets."""
_UNSPECIFIED = 0x00


@dataclass(frozen=True, slots=True)
class Introduction:
    """A header of ``size`` bytes. ``source``: the caller's address; empty: the connection is the balancer's own."""

    size: int
    source: str = ""


class Unread(Enum):
    """Why there is no introduction."""

    UNFINISHED = "unfinished"
    """More bytes may make it one."""
    REFUSED = "refused"
    """No bytes can."""


def read_introduction(data: bytes) -> Introduction | Unread:
    """Read the header that a connection begins with; ``data`` may end within it, and hold what follows it."""
    if data.startswith(SIGNATURE):
        return _version_2(data)
    if data.startswith(_WORD):
        return _version_1(data)
    begins = SIGNATURE.startswith(data) or _WORD.startswith(data)
    return Unread.UNFINISHED if begins else Unread.REFUSED


def _version_1(data: bytes) -> Introduction | Unread:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        return Unread.UNFINISHED if len(data) < _LONGEST_LINE and b"\n" not in data else Unread.REFUSED
    line = data[:end]
    if _UNKNOWN.fullmatch(line) is not None:
        return Introduction(end + 2)
    match = _LINE.fullmatch(line)
    if match is None or max(int(match[4]), int(match[5])) > _HIGHEST_PORT:
        return Unread.REFUSED
    family = IPv4Address if match[1] == b"4" else IPv6Address
    source, destination = _address(match[2], family), _address(match[3], family)
    return Introduction(end + 2, source) if source and destination else Unread.REFUSED


def _address(text: bytes, family: type[IPv4Address | IPv6Address]) -> str:
    """Return an address of a family as it is told; empty: it is none."""
    try:
        return told_form(family(from_bytes(text))) if b"%" not in text else ""
    except ValueError:
        return ""


def _version_2(data: bytes) -> Introduction | Unread:
    if len(data) < _FIXED:
        return Unread.UNFINISHED
    command, family = data[12], data[13]
    size = _FIXED + int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXY) or size > LONGEST:
        return Unread.REFUSED
    if command == _PROXY and family != _UNSPECIFIED and size - _FIXED < _ADDRESSES.get(family, LONGEST):
        return Unread.REFUSED
    if len(data) < size:
        return Unread.UNFINISHED
    source = ""
    if command == _PROXY and family == _IPV4:
        source = told_form(IPv4Address(data[16:20]))
    elif command == _PROXY and family == _IPV6:
        source = told_form(IPv6Address(data[16:32]))
    return Introduction(size, source)
