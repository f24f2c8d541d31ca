"""The origin of a connection's requests: the caller's address and scheme, and what upstreams may be told of them.

Without believed proxies it is decided once for a connection. With them it is read anew from each request, because a
proxy sends many callers' requests on one connection. What a request itself says is believed of nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.proxy.core.auth.caller import Caller, counted_address
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.fields.forwarded import FOR, HOST, PROTO
from wardgate.proxy.core.messages import Header
from wardgate.proxy.core.origin.addresses import shown_address
from wardgate.proxy.core.origin.forwarded import believed_addresses, believed_host, believed_scheme
from wardgate.proxy.core.origin.front import NO_PROXIES, CompiledFront
from wardgate.text_codec import to_bytes

_REMEMBERED: Final = 64
"""Ways of requests that a connection knows again: a proxy sends those of some callers over and over."""
_LONGEST: Final = 512
"""Bytes of the words that are remembered."""


@dataclass(frozen=True, slots=True)
class _Way:
    """The way of a request, as it is believed."""

    address: str
    caller: Caller
    scheme: bytes
    forwarded: tuple[Header, ...]
    lines: bytes


class RequestOrigin:
    """``peer``: the address at the other end, as the socket or a PROXY header gives it; ``scheme``: the connection's.

    ``introduced``: a PROXY header of a believed proxy gave it. ``address``, ``caller``, ``forwarded`` and ``scheme``
    are those of the request that was read last, and ``lines`` is ``forwarded`` as it is written.
    """

    __slots__ = (
        "_guesses",
        "_introduced",
        "_known",
        "_own",
        "address",
        "believes",
        "caller",
        "forwarded",
        "front",
        "lines",
        "peer",
        "scheme",
    )

    def __init__(self, peer: str, *, scheme: bytes, guesses: Guesses, introduced: bool = False) -> None:
        self.peer = shown_address(peer)
        self.front: CompiledFront = NO_PROXIES
        self.believes = False
        """Whether requests may name other callers than ``peer``."""
        self._guesses = guesses
        self._introduced = introduced
        self._known: dict[tuple[tuple[bytes, ...], ...], _Way] = {}
        self.address = self.peer
        self.caller = Caller(counted_address(self.peer), guesses, self.peer)
        self.scheme = scheme
        self.forwarded = _told((self.peer,) if self.peer else (), scheme=scheme, host=None)
        self.lines = _written(self.forwarded)
        self._own = _Way(self.address, self.caller, scheme, self.forwarded, self.lines)

    def follow(self, front: CompiledFront) -> None:
        """Go by what the config in force says of the proxies in front."""
        if front is self.front:
            return
        self.front = front
        self.believes = front.hops > 0 and (self._introduced or front.believes(self.peer))
        self._known.clear()
        self._take(self._own)

    def read(self, fields: Mapping[bytes, Sequence[bytes]]) -> None:
        """Take the origin of the next request from the fields that were taken off it, by name."""
        said = (tuple(fields.get(FOR, ())), tuple(fields.get(PROTO, ())), tuple(fields.get(HOST, ())))
        way = self._known.get(said)
        if way is None:
            way = self._understood(fields)
            if sum(len(value) for values in said for value in values) <= _LONGEST:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[said] = way
        self._take(way)

    def _understood(self, fields: Mapping[bytes, Sequence[bytes]]) -> _Way:
        addresses = believed_addresses(fields.get(FOR, ()), self.front.hops)
        if not addresses:
            return self._own
        scheme = believed_scheme(fields.get(PROTO, ())) or self._own.scheme
        host = believed_host(fields.get(HOST, ()))
        forwarded = _told((*addresses, self.peer), scheme=scheme, host=host)
        caller = Caller(counted_address(addresses[0]), self._guesses, addresses[0])
        return _Way(addresses[0], caller, scheme, forwarded, _written(forwarded))

    def _take(self, way: _Way) -> None:
        self.address = way.address
        self.caller = way.caller
        self.scheme = way.scheme
        self.forwarded = way.forwarded
        self.lines = way.lines


def _told(addresses: Sequence[str], *, scheme: bytes, host: bytes | None) -> tuple[Header, ...]:
    fields = [(PROTO, scheme)]
    if addresses:
        fields.insert(0, (FOR, to_bytes(", ".join(addresses))))
    if host is not None:
        fields.append((HOST, host))
    return tuple(fields)


def _written(fields: Sequence[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])
