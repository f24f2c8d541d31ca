"""The words of believed proxies about a request: ``X-Forwarded-For``, ``-Proto`` and ``-Host``, read from the end.

Each proxy appends the address that it got the request from, so of a list the last members are the nearest proxies', and
everything before them is what the caller wrote. Envoy's ``xff_num_trusted_hops`` counts in the same way:

Rule 1: with N believed hops the caller is the N-th member from the end. What stands before it is nobody's word.
Rule 2: a list that is shorter, or has anything but an address among its last N members, is not believed at all: the
        caller is then who connected. It never costs the request.
Rule 3: a member may have a port (``192.0.2.1:4711``, ``[2001:db8::1]:4711``), which is not told on.
Rule 4: of schemes and hosts the last one that was written counts, if it is ``http`` or ``https``, or a host.
"""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.proxy.core.grammar import is_host
from wardgate.proxy.core.origin.addresses import read_address

_SCHEMES = frozenset({b"http", b"https"})


def believed_addresses(values: Sequence[bytes], hops: int) -> tuple[str, ...]:
    """Return the last ``hops`` addresses of a list, the caller's first; empty where it is not to be believed."""
    members = _last_members(values, hops)
    addresses = tuple(address for member in members if (address := read_address(member)) is not None)
    return addresses if len(addresses) == hops else ()


def believed_scheme(values: Sequence[bytes]) -> bytes | None:
    """Return the scheme that the nearest proxy was asked under; None: it does not say."""
    scheme = _last(values).lower()
    return scheme if scheme in _SCHEMES else None


def believed_host(values: Sequence[bytes]) -> bytes | None:
    """Return the host that the nearest proxy was asked for; None: it does not say."""
    host = _last(values)
    return host if host and is_host(host) else None


def _last_members(values: Sequence[bytes], count: int) -> list[bytes]:
    """Split off as many members as are asked for, however long the list is."""
    found: list[bytes] = []
    for value in reversed(values):
        missing = count - len(found)
        if missing <= 0:
            break
        found[:0] = [member.strip(b" \t") for member in value.rsplit(b",", missing)[-missing:]]
    return found


def _last(values: Sequence[bytes]) -> bytes:
    found = _last_members(values, 1)
    return found[0] if found else b""
