"""A caller that has ended its side of the connection behind a whole request (RFC 9112, 9.6): is it still there?

A caller that only says that it has no more to ask sends a FIN, and so does one that has gone. Only the machine of the
second one answers what is sent to it with a reset. So

Rule 1: a caller that ends its side within a request, or with none to be answered, has gone.
Rule 2: one whose requests are whole gets its responses, the last of which ends the connection.
Rule 3: while it has got nothing for a second it is asked, and every fifteen seconds from then on, by an informational
        response (RFC 9110, 15.2), which whoever reads passes over; ``100 Continue`` is known to all. One that answers
        with a reset has gone, and its request ends, as the money of a request that nobody waits for should not be
        spent. Where nothing may be sent, to HTTP/1.0 and behind a response's head, the next byte of the response asks,
        and in the silence before it TCP's own probes, which a machine answers for a minute after its program has gone.
Rule 4: TLS knows no half of a connection here: its end is the end.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from wardgate.proxy.io.downstream.response_writer import ResponseWriter
from wardgate.proxy.io.upstream.keep_alive import keep_alive

_CONTINUE: Final = 100
_FIRST_AFTER: Final = 1.0
_AGAIN_AFTER: Final = 15.0
_PROBED_AFTER: Final = 5.0
"""Seconds."""


class HalfClose:
    """Of one connection, from the moment at which the caller ended its side. ``now`` is monotonic, in seconds."""

    __slots__ = ("_due", "_transport")

    def __init__(self, transport: asyncio.Transport, *, now: float) -> None:
        self._transport = transport
        self._due = now + _FIRST_AFTER
        keep_alive(transport, after=_PROBED_AFTER)

    def has_gone(self, now: float, *, writer: ResponseWriter | None) -> bool:
        """Whether the caller has gone. While it waits for ``writer`` to begin, it is asked from time to time."""
        if writer is not None and now >= self._due:
            self._due = now + _AGAIN_AFTER
            writer.informational(_CONTINUE, [])
        return self._is_reset()

    def _is_reset(self) -> bool:
        # Nobody else would tell: a connection whose other side has ended is not polled any more.
        sock = self._transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return True
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
