"""One connection to an upstream: requests go out, responses come in, one at a time.

``ResponseReader`` decides what is a response and where it ends; this moves the bytes, and hands the response to the
``ResponseSink`` that holds the connection. A connection is given back only when both the request and the response ended
cleanly; whatever is in doubt is closed.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Protocol, cast

from wardgate.proxy.core.http1.response_reader import BODY, BROKEN, IDLE, LAST, SWITCHED, ResponseReader
from wardgate.proxy.core.http1.upgrades import Upgrade
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.io.upstream.errors import BadResponse, UpstreamError, UpstreamReset
from wardgate.proxy.io.upstream.unacknowledged import UNKNOWN, unacknowledged


class ResponseSink(Protocol):
    """Who waits for a response."""

    def response_head(self, incoming: Incoming, *, length: int | None) -> None:
        """The head is complete; ``length`` None: not known beforehand. Called once."""

    def informational(self, incoming: Incoming) -> None:
        """The head of a response before that one, or of a switch of protocols in its place."""

    def response_data(self, data: bytes) -> None:
        """A piece of the body."""

    def response_waits(self) -> None:
        """All that has arrived was handed over, and more is to come."""

    def response_end(self) -> None:
        """The response is complete."""

    def upstream_lost(self, error: UpstreamError) -> None:
        """No more will come. ``response_end`` has not been called."""

    def upstream_paused(self, *, paused: bool) -> None:
        """Stop or go on sending the request's body."""


class FastSink(ABC):
    """Who waits for a plain response."""

    __slots__ = ()

    @abstractmethod
    def receive(self, data: bytes) -> bool:
        """Take what arrived; False: it is not plain, so ``hand_over`` and read it the general way."""

    @abstractmethod
    def hand_over(self) -> ResponseSink:
        """Return who waits for the response instead; it holds the connection then."""


class UpstreamConnection:
    """asyncio's protocol by its methods. ``on_lost`` is told when the connection ends; ``used`` counts its requests.

    ``holder`` is whom the connection is charged to while a request has it. ``left``: bytes of a request that the other
    side had not taken when it closed, if it closed before it answered. Past ``expires_at`` it carries no other one.
    """

    __slots__ = (
        "_fast",
        "_paused",
        "_response",
        "_sink",
        "expires_at",
        "holder",
        "idle_since",
        "left",
        "lost",
        "on_lost",
        "transport",
        "used",
    )

    def __init__(self, *, max_head: int, max_informational: int) -> None:
        self._response = ResponseReader(max_head=max_head, max_informational=max_informational)
        self._sink: ResponseSink | None = None
        self._fast: FastSink | None = None
        self._paused = False
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self.used = 0
        self.idle_since = 0.0
        self.expires_at = math.inf
        self.left = UNKNOWN
        self.holder: Hashable | None = None
        self.on_lost: Callable[[UpstreamConnection], None] | None = None

    @property
    def response_started(self) -> bool:
        """Whether a byte came back since the last request: it may have been served."""
        return self._response.has_begun

    # Calls of the stream.

    def start(self, sink: ResponseSink, *, head_request: bool, upgrade: Upgrade | None) -> None:
        """Begin a request; the response will go to ``sink``. ``upgrade``: it asks for another protocol."""
        self._sink = sink
        self._response.begin(head_request=head_request, upgrade=upgrade)
        self.used += 1

    def start_fast(self, sink: FastSink) -> None:
        """Begin a plain request."""
        self._fast = sink
        self.used += 1

    def end_fast(self) -> None:
        """The plain response is complete, or ``resume`` follows."""
        self._fast = None

    def resume(self, sink: ResponseSink) -> None:
        """Go on with a request that was begun as a plain one."""
        self._sink = sink
        self._response.begin(head_request=False)

    def replay(self, head: bytes, body: bytes) -> tuple[Incoming, int | None]:
        """Read again what came of a plain response: its head, and what brings the reader as far into its body."""
        (incoming,) = self._response.receive(head)
        assert isinstance(incoming, Incoming), "A plain response begins with its head."
        if body:
            self._response.receive(body)
        return incoming, self._response.length

    def write(self, data: bytes) -> None:
        """Send a piece, unless the connection is gone (the sink has been told, or will be)."""
        if self.transport is not None and not self.lost:
            self.transport.write(data)

    def end_sending(self) -> None:
        """Nothing more goes out in another protocol, if one has begun. Where TLS cannot say so, the connection ends."""
        transport = self.transport
        if transport is None or self.lost or self._response.state is not SWITCHED:
            return
        if transport.can_write_eof():
            transport.write_eof()
        else:
            transport.close()

    def detach(self) -> bool:
        """The sink is done; return whether another request may follow on this connection."""
        self._sink = None
        if self.lost or self.transport is None or self._response.state is not IDLE:
            return False
        if self._paused:
            self.pause(paused=False)
        return True

    def close(self) -> None:
        """End the connection at once; nobody is told."""
        self._sink = None
        if self.transport is not None and not self.lost:
            self.lost = True
            self.transport.abort()

    def pause(self, *, paused: bool) -> None:
        """Stop or go on reading the response."""
        if self.transport is None or self.lost:
            return
        self._paused = paused
        if paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # Calls of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports have the interface and not the base class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Hand over what there is of the response; whatever is wrong with it ends the connection."""
        fast = self._fast
        if fast is not None:
            if fast.receive(data):
                return
            fast.hand_over()
        sink, response = self._sink, self._response
        if sink is None:
            # Bytes that nobody asked for: the next response could be somebody else's.
            self.close()
            return
        for arrival in response.receive(data):
            if isinstance(arrival, bytes):
                sink.response_data(arrival)
            elif arrival.status >= 200:
                sink.response_head(arrival, length=response.length)
            else:
                sink.informational(arrival)
            if self._sink is not sink:
                return  # the sink wants no more of it
        state = response.state
        if state is BODY:
            sink.response_waits()
        elif state is IDLE or state is LAST:
            self._sink = None
            sink.response_end()
        elif state is BROKEN:
            self._fail(BadResponse(response.fault))
        else:
            sink.response_waits()

    def eof_received(self) -> bool:
        """Let the transport close; ``connection_lost`` follows."""
        if self.transport is not None and (self._fast is not None or not self.response_started):
            self.left = unacknowledged(self.transport)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """A body without a length ends here; anything else is cut off."""
        self.lost = True
        transport = self.transport
        # Under TLS the socket is closed already, and its number may be another connection's.
        if isinstance(exc, BrokenPipeError) and transport is not None and not transport.get_extra_info("ssl_object"):
            self.left = unacknowledged(transport)
        if self._fast is not None:
            self._fast.hand_over()
        completes = self._response.close(clean=exc is None)
        sink, self._sink = self._sink, None
        if self.on_lost is not None:
            self.on_lost(self)
        if sink is None:
            return
        if completes:
            sink.response_end()
        else:
            sink.upstream_lost(UpstreamReset("The upstream closed the connection."))

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        if self._fast is not None:
            self._fast.hand_over()
        if self._sink is not None:
            self._sink.upstream_paused(paused=True)

    def resume_writing(self) -> None:
        """The kernel takes more."""
        if self._sink is not None:
            self._sink.upstream_paused(paused=False)

    def _fail(self, error: UpstreamError) -> None:
        sink = self._sink
        self.close()
        if sink is not None:
            sink.upstream_lost(error)
