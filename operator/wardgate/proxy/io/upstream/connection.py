"""One connection to an upstream: requests go out, responses come in, one at a time.

llhttp reads the responses. What it reports is handed to the ``ResponseSink`` that holds the connection. Informational
responses are dropped (the gateway answers ``Expect`` itself), and trailers too. A connection is given back only when
both the request and the response ended cleanly; whatever is in doubt is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import Protocol, cast

import httptools

from wardgate.proxy.core.fields.folded import end_to_end
from wardgate.proxy.core.grammar import PROXY_WRITTEN
from wardgate.proxy.core.http1.framing import is_bodiless
from wardgate.proxy.core.messages import HeaderList, Incoming
from wardgate.proxy.io.upstream.errors import BadResponse, UpstreamError, UpstreamReset

_UNCODED = (b"",)


class ResponseSink(Protocol):
    """Who waits for a response."""

    def response_head(self, incoming: Incoming, *, length: int | None) -> None:
        """The head is complete; ``length`` None: not known beforehand. Called once."""

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


class UpstreamConnection(asyncio.Protocol):
    """``on_lost`` is told when the connection ends. ``used`` counts the requests that it has carried.

    ``holder`` is whom the connection is charged to while a request has it.
    """

    __slots__ = (
        "_complete",
        "_excess",
        "_head_done",
        "_head_request",
        "_header_bytes",
        "_headers",
        "_idle_bytes",
        "_keep_alive",
        "_length",
        "_max_head",
        "_parser",
        "_sink",
        "_status",
        "_until_close",
        "holder",
        "idle_since",
        "lost",
        "on_lost",
        "response_started",
        "transport",
        "used",
    )

    def __init__(self, *, max_head: int) -> None:
        self._max_head = max_head
        self._sink: ResponseSink | None = None
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self.used = 0
        self.idle_since = 0.0
        self.holder: Hashable | None = None
        self.on_lost: Callable[[UpstreamConnection], None] | None = None
        self._head_request = False
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: HeaderList = []
        self._head_done = False
        self._header_bytes = 0
        self._idle_bytes = 0
        self._length: int | None = None
        self._status = 0
        self._until_close = False
        self._keep_alive = False
        self._complete = False
        self._excess = False
        self.response_started = False

    # What the stream calls.

    def start(self, sink: ResponseSink, *, head_request: bool) -> None:
        """Begin a request; the response will go to ``sink``."""
        self._sink = sink
        self._head_request = head_request
        self.used += 1

    def write(self, data: bytes) -> None:
        """Send a piece, unless the connection is gone (the sink has been told, or will be)."""
        if self.transport is not None and not self.lost:
            self.transport.write(data)

    def detach(self) -> bool:
        """The sink is done; return whether another request may follow on this connection."""
        self._sink = None
        reusable = self._keep_alive and not self.lost and self.transport is not None
        if reusable and self.transport is not None:
            self.transport.resume_reading()
            self._reset()
        return reusable

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
        if paused:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # uvloop's transports have the interface and not the base class.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever is wrong with the response ends the connection."""
        if self._sink is None:
            # Bytes that nobody asked for: the next response could be somebody else's.
            self.close()
            return
        self.response_started = True
        self._idle_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BadResponse("The upstream switched protocols."))
        except httptools.HttpParserError as error:
            self._fail(BadResponse(f"The response is not HTTP/1.1: {type(error).__name__}."))
        else:
            if self._complete:
                self._finish()
            elif self._idle_bytes > self._max_head:
                # A head, a chunk's size or trailers without an end: bytes come, and nothing comes of them.
                self._fail(BadResponse("The response's head or trailers are too large."))
            elif self._sink is not None:
                self._sink.response_waits()

    def eof_received(self) -> bool:
        """Let the transport close; ``connection_lost`` follows."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """A body without a length ends here; anything else is cut off."""
        self.lost = True
        sink, self._sink = self._sink, None
        if self.on_lost is not None:
            self.on_lost(self)
        if sink is None:
            return
        if self._head_done and self._until_close and exc is None:
            sink.response_end()
        else:
            sink.upstream_lost(UpstreamReset("The upstream closed the connection."))

    def pause_writing(self) -> None:
        """The kernel takes no more."""
        if self._sink is not None:
            self._sink.upstream_paused(paused=True)

    def resume_writing(self) -> None:
        """The kernel takes more."""
        if self._sink is not None:
            self._sink.upstream_paused(paused=False)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """A second response in one piece: nobody asked for it, so the connection is not used again."""
        if self._complete:
            self._excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; after the head these are trailers, which are dropped."""
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self._max_head:
            msg = "The response's head or trailers are too large."
            raise BadResponse(msg)
        if not self._head_done:
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Hand over the head, unless it is an informational one, or nobody's."""
        if self._complete:
            return
        self._status = self._parser.get_status_code()
        if self._status < 200:
            self._drop_informational()
            return
        self._idle_bytes = 0
        self._head_done = True
        self._keep_alive = self._parser.should_keep_alive()
        headers, taken, _ = end_to_end(self._headers, special=PROXY_WRITTEN)
        self._length = next(map(int, filter(bytes.isdigit, taken.get(b"content-length", ()))), None)
        self._until_close = self._length is None and not (
            is_bodiless(status=self._status, head_request=self._head_request)
            or taken.get(b"transfer-encoding", _UNCODED)[-1].lower().endswith(b"chunked")
        )
        if self._sink is not None:
            self._sink.response_head(Incoming(self._status, headers, arrived=self._headers), length=self._length)
            # llhttp waits for a body that the request's method rules out.
            self._complete = self._head_request

    def on_body(self, data: bytes) -> None:
        """Hand over a piece of the body."""
        self._idle_bytes = 0
        if self._complete:
            self._excess = True
        elif not self._head_done:
            msg = "A body stands where no response has begun."
            raise BadResponse(msg)
        elif self._sink is not None:
            self._sink.response_data(data)

    def on_message_complete(self) -> None:
        """Hand over the end."""
        if self._head_done:
            self._complete = True

    def _drop_informational(self) -> None:
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers)
        if self._status < 100 or framed:
            msg = "An informational response cannot have a body."
            raise BadResponse(msg)
        self._headers = []

    def _finish(self) -> None:
        sink, self._sink = self._sink, None
        self._keep_alive = self._keep_alive and not self._excess
        if sink is not None:
            sink.response_end()

    def _fail(self, error: UpstreamError) -> None:
        sink = self._sink
        self.close()
        if sink is not None:
            sink.upstream_lost(error)
