"""The origin of a connection's requests: the caller's address and scheme, and what upstreams may be told of them.

Without believed proxies it is decided once for a connection. With them it is read anew from each request, because a
proxy sends many callers' requests on one connection. What a request itself says is believed of nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wardgate.proxy.core.auth.caller import Caller, counted_address
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.fields.forwarded import FOR, HOST, PROTO
from wardgate.proxy.core.messages import Header
from wardgate.proxy.core.origin.addresses import shown_address
from wardgate.proxy.core.origin.forwarded import believed_addresses, believed_host, believed_scheme
from wardgate.proxy.core.origin.front import NO_PROXIES, CompiledFront
from wardgate.text_codec import to_bytes


class RequestOrigin:
    """``peer``: the address at the other end, as the socket or a PROXY header gives it; ``scheme``: the connection's.

    ``introduced``: a PROXY header of a believed proxy gave it. ``address``, ``caller``, ``forwarded`` and ``scheme``
    are those of the request that was read last.
    """

    __slots__ = (
        "_guesses",
        "_introduced",
        "_own_caller",
        "_own_forwarded",
        "_own_lines",
        "_own_scheme",
        "_said",
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
        self._own_scheme = scheme
        self._own_caller = Caller(counted_address(self.peer), guesses)
        self._own_forwarded = _told((self.peer,) if self.peer else (), scheme=scheme, host=None)
        self._own_lines = _written(self._own_forwarded)
        self._said: tuple[object, object, object] = (None, None, None)
        self.address = self.peer
        self.caller = self._own_caller
        self.scheme = scheme
        self.forwarded: tuple[Header, ...] = self._own_forwarded
        self.lines = self._own_lines
        """``forwarded`` as it is written."""

    def follow(self, front: CompiledFront) -> None:
        """Go by what the config in force says of the proxies in front."""
        if front is self.front:
            return
        self.front = front
        self.believes = front.hops > 0 and (self._introduced or front.believes(self.peer))
        self._take_back()

    def read(self, fields: Mapping[bytes, Sequence[bytes]]) -> None:
        """Take the origin of the next request from the fields that were taken off it, by name."""
        said = (fields.get(FOR), fields.get(PROTO), fields.get(HOST))
        if said == self._said:
            return
        self._take_back()
        self._said = said
        addresses = believed_addresses(fields.get(FOR, ()), self.front.hops)
        if not addresses:
            return
        self.address = addresses[0]
        self.caller = Caller(counted_address(self.address), self._guesses)
        self.scheme = believed_scheme(fields.get(PROTO, ())) or self._own_scheme
        host = believed_host(fields.get(HOST, ()))
        self.forwarded = _told((*addresses, self.peer), scheme=self.scheme, host=host)
        self.lines = _written(self.forwarded)

    def _take_back(self) -> None:
        """Believe nothing but the connection."""
        self._said = (None, None, None)
        self.address = self.peer
        self.caller = self._own_caller
        self.scheme = self._own_scheme
        self.forwarded = self._own_forwarded
        self.lines = self._own_lines


def _told(addresses: Sequence[str], *, scheme: bytes, host: bytes | None) -> tuple[Header, ...]:
    fields = [(PROTO, scheme)]
    if addresses:
        fields.insert(0, (FOR, to_bytes(", ".join(addresses))))
    if host is not None:
        fields.append((HOST, host))
    return tuple(fields)


def _written(fields: Sequence[Header]) -> bytes:
    return b"".join([b"%b: %b\r\n" % field for field in fields])
