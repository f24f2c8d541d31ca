"""The request on its way to an upstream: the connection that it has, its head, and the body that goes with it.

Pieces that arrive before there is a connection are held here, up to a bound at which the caller is paused. On a
connection that had been idle they are held a moment longer: one that breaks before the upstream can have served the
request is replaced by another one, once (docs/decisions/0047).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Protocol

from wardgate.proxy.core.http1.framing import chunk, request_length, write_request_head
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.trailers import TE_TRAILERS, last_chunk
from wardgate.proxy.core.http1.upgrades import UPGRADE, upgrade_of, with_fields
from wardgate.proxy.core.messages import HeaderList, Outgoing
from wardgate.proxy.io.upstream.connection import ResponseSink, UpstreamConnection
from wardgate.proxy.io.upstream.errors import UpstreamError
from wardgate.proxy.io.upstream.pool import EndpointPool
from wardgate.proxy.io.upstream.unacknowledged import never_read

MOST_HELD: Final = 64 * 1024
"""Bytes of a body held: while there is no connection, before the caller is paused; afterwards, for another try."""
_MOST_ENDPOINTS = 3
"""Of one upstream, that a request asks for a connection."""
STALE: Final = 2
"""Ticks of the worker after which a connection that was dead would have told: the body is held no longer."""
_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})


class Requester(ResponseSink, Protocol):
    """Who sends a request and waits for the response."""

    def request_begins(self) -> None:
        """There is a connection, and the request's head is on it."""

    def endpoint_failed(self, error: UpstreamError) -> None:
        """One of several endpoints gave no connection; another one is asked."""

    def fail(self, error: UpstreamError) -> None:
        """No connection could be had. Nothing follows."""


class RequestSender:
    """One request; implements ``Waiter``. ``outgoing`` is what the core decided to send.

    ``streams``: the caller's body goes past it. ``mark`` goes with it, whatever a transformation made of its headers.
    The connection is charged to ``holder``.
    """

    __slots__ = (
        "_asks_trailers",
        "_chunked",
        "_connection",
        "_endpoint",
        "_first",
        "_head",
        "_held",
        "_held_bytes",
        "_holder",
        "_mark",
        "_repeated",
        "_requester",
        "_ticks",
        "_tried",
        "_whole",
        "asked_head",
        "outgoing",
        "overfull",
        "streams",
        "upgrade",
    )

    def __init__(
        self,
        outgoing: Outgoing,
        head: RequestHead,
        *,
        mark: LoopMark,
        upgrades: frozenset[bytes],
        asks_trailers: bool,
        endpoint: EndpointPool,
        requester: Requester,
        holder: Hashable,
    ) -> None:
        self.outgoing = outgoing
        self._endpoint = endpoint
        # None once nobody waits: a cycle would leave every request to the garbage collector, at a tenth of its cost.
        self._requester: Requester | None = requester
        self._holder = holder
        self._mark = mark
        self._asks_trailers = asks_trailers
        self.asked_head = outgoing.method == b"HEAD"
        """Whether the upstream is asked for a head only."""
        self.upgrade = upgrade_of(head, outgoing, allowed=upgrades) if UPGRADE in head.connection_fields else None
        """The other protocol that the upstream is asked for."""
        self.streams = outgoing.body is None
        self._head = head
        self._chunked = self.streams and head.chunked
        self._connection: UpstreamConnection | None = None
        """The one that the request is on."""
        self._first = b""
        """The head, while it waits for what came with it of the body, so that both are one write."""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.overfull = False
        """Whether so much is held that the caller should wait."""
        self._whole = True
        """Whether all that has been sent can be sent again."""
        self._repeated = False
        self._tried: tuple[EndpointPool, ...] = ()
        """Endpoints that gave no connection."""
        self._ticks = 0

    def acquire(self) -> None:
        """Begin on an idle connection, or on a new one as soon as it is open."""
        idle = self._endpoint.acquire(self, holder=self._holder, fresh=False)
        if idle is not None:
            self.begin(idle, at_once=False)

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """A connection is open, or free."""
        if self._requester is None:
            connection.close()
        else:
            self.begin(connection, at_once=True)

    def upstream_failed(self, error: UpstreamError) -> None:
        """No connection to this endpoint could be had: ask another one, or give up."""
        if self._requester is None:
            return
        self._tried += (self._endpoint,)
        may_ask = error.of_connecting and len(self._tried) < _MOST_ENDPOINTS
        other = self._endpoint.stand_in(self._tried) if may_ask else None
        if other is None:
            self._requester.fail(error)
            return
        self._requester.endpoint_failed(error)
        self._endpoint = other
        idle = other.acquire(self, holder=self._holder, fresh=self._repeated)
        if idle is not None:
            self.begin(idle, at_once=True)

    def blame(self, error: UpstreamError) -> None:
        """The exchange failed; whether that counts against the endpoint is for it to say."""
        self._endpoint.failed(error)

    def begin(self, connection: UpstreamConnection, *, at_once: bool) -> None:
        """Send the head, and what was held.

        Unless ``at_once``, the head of a request whose body streams waits for ``piece``, ``end`` or ``flush``.
        """
        self._connection = connection
        self._ticks = 0
        requester = self._requester
        assert requester is not None, "Nothing is sent once it is released or closed."
        connection.start(requester, head_request=self.asked_head, upgrade=self.upgrade)
        self._first = self._head_bytes(self._endpoint.host)
        if self._held:
            self.overfull = False
            connection.write(self._first + b"".join(self._held))
            self._first = b""
            if connection.used <= 1:
                self._let_go()
        elif at_once or not (self.streams and self._head.has_body):
            self.flush()
        requester.request_begins()

    def resume(self, connection: UpstreamConnection, body: bytes | None, *, ticks: int) -> None:
        """Go on with a request that is on a connection already, whole, for so many ticks.

        ``body`` None: it was let go.
        """
        assert self._requester is not None, "Nothing is resumed once it is released or closed."
        self._connection = connection
        self._held = [body] if body else []
        self._held_bytes = len(body or b"")
        self._ticks = ticks
        if body is None:
            self._let_go()
        connection.resume(self._requester)

    def flush(self) -> None:
        """Nothing of the body has come with the head."""
        if self._first and self._connection is not None:
            self._connection.write(self._first)
            self._first = b""

    def piece(self, data: bytes) -> None:
        """A piece of the caller's body."""
        self._send(chunk(data) if self._chunked else data)

    def end(self, trailers: HeaderList) -> None:
        """The caller's body is complete; ``trailers`` go on behind it."""
        if self._chunked:
            self._send(last_chunk(trailers))
        elif self.upgrade is not None and self._connection is not None:
            self._connection.end_sending()

    def release(self, *, complete: bool) -> None:
        """The response is over. ``complete``: so is the caller's body, and the connection may carry another request."""
        self._requester = None
        connection = self._connection
        if connection is None:
            return
        if complete or not self.streams:
            self._connection = None
            self._endpoint.release(connection)
        else:
            # It stays here, closed, so that what still comes of the body goes nowhere.
            connection.close()

    def close(self) -> None:
        """Nobody waits for the response any more."""
        self._requester = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        else:
            self._endpoint.leave(self)

    def repeat(self) -> bool:
        """The connection broke: send the request again on another one, if it cannot have been served; else False.

        It had been idle, nothing came back on it, all that was sent of the request is still here, and either the method
        is safe to repeat or the upstream can have read none of it. The body's pieces are held meanwhile.
        """
        connection, self._connection = self._connection, None
        # One on its first request was no idle connection that the upstream had closed meanwhile: it failed on this one.
        if connection is None or connection.used <= 1 or connection.response_started:
            return False
        if self._repeated or not self._whole or not self._is_harmless(connection):
            return False
        self._repeated = True
        self._endpoint.acquire(self, holder=self._holder, fresh=True)
        return True

    def tick(self) -> None:
        """A second has passed: hold nothing of the body any longer than it takes to see that a connection is dead."""
        self._ticks += 1
        if self._ticks == STALE and self._connection is not None and self._held:
            self._let_go()

    def _is_harmless(self, connection: UpstreamConnection) -> bool:
        """Whether to send the request again does no more than to send it once."""
        if self.outgoing.method in _REPEATABLE or self._first:
            return True  # of one whose head still waits here nothing was sent at all
        writes = [len(self._head_bytes(self._endpoint.host)), *map(len, self._held)]
        return never_read(writes, left=connection.left)

    def _let_go(self) -> None:
        self._held = []
        self._held_bytes = 0
        self._whole = False

    def hold(self, *, held: bool) -> None:
        """Stop or go on reading the response."""
        if self._connection is not None:
            self._connection.pause(paused=held)

    def _send(self, data: bytes) -> None:
        connection = self._connection
        if connection is not None:
            connection.write(self._first + data)
            self._first = b""
            if connection.used <= 1:
                self._whole = False
        else:
            self.overfull = self._held_bytes + len(data) > MOST_HELD
        if self._whole:
            self._held.append(data)
            self._held_bytes += len(data)
            if connection is not None and self._held_bytes > MOST_HELD:
                self._let_go()

    def _head_bytes(self, endpoint_host: bytes) -> bytes:
        outgoing = self.outgoing
        headers = [*outgoing.headers, self._mark.after(self._head.passed)]
        if outgoing.auto_host and endpoint_host:
            headers = [(b"host", endpoint_host), *(field for field in headers if field[0] != b"host")]
        body = b"" if outgoing.body is None else outgoing.body
        head = write_request_head(
            method=outgoing.method,
            target=outgoing.target,
            headers=headers,
            length=request_length(outgoing, self._head),
            chunked=self._chunked,
        )
        if self.upgrade is not None:
            head = with_fields(head, self.upgrade.fields)
        elif self._asks_trailers:
            head = with_fields(head, TE_TRAILERS)
        return head + body
