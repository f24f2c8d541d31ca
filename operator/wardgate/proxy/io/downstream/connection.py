"""One caller's connection: requests are read one at a time, and their responses written in order.

A second request that arrives early waits in the buffer. Reading stops while the buffer is full or an upstream is slow,
so that a caller can never make a worker hold more than the limits say. Deadlines are checked by the worker's tick, not
by a timer each.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from wardgate.proxy.core.auth.caller import Caller, counted_address
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.body_reader import BodyReader
from wardgate.proxy.core.http1.chunked import ChunkedError
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.core.upstream.tls_names import carries_one_of
from wardgate.proxy.io.downstream.deadlines import NEVER, Deadlines
from wardgate.proxy.io.downstream.outbox import Outbox
from wardgate.proxy.io.downstream.response_writer import reply_bytes
from wardgate.proxy.io.downstream.stream import Stream
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.tls import alt_names

_HEAD_END = b"\r\n\r\n"
_BLANK_LINES = 2
"""Empty lines before a request that are passed over: old callers end a body with one (RFC 9112, 2.2)."""
_SLACK = 64 * 1024
"""Bytes of an unwanted body, or of early requests, that are read rather than the connection closed."""
_PER_TURN = 4
"""Requests served at once on one connection before the others get a turn. A caller may have thousands of them."""
_LINGER = 2.0
"""Seconds in which a caller can still read a refusal while the rest of its request is thrown away."""


class Downstream(asyncio.Protocol):
    """See the module. ``port`` is the listener's own, whatever port is bound in its place."""

    __slots__ = (
        "_at",
        "_blank_lines",
        "_body",
        "_buffer",
        "_closing",
        "_context",
        "_discarded",
        "_discarding",
        "_pumping",
        "_reading",
        "_scanned",
        "_stream",
        "_write_paused",
        "caller",
        "deadline",
        "deadlines",
        "outbox",
        "peer",
        "port",
        "scheme",
        "transport",
    )

    def __init__(self, context: WorkerContext, port: int) -> None:
        self._context = context
        self.port = port
        self.scheme = b"http"
        self.peer = ""
        self.caller = Caller(b"", context.guesses)
        self.transport: asyncio.Transport | None = None
        self.deadline = NEVER
        self._buffer = b""
        self._at = 0
        self._blank_lines = 0
        self._scanned = 0
        self.outbox = Outbox(rate=context.limits.least_rate, window=context.timeouts.write, now=context.clock())
        self._stream: Stream | None = None
        self.deadlines = Deadlines(limits=context.limits, timeouts=context.timeouts, clock=context.clock)
        self._body = BodyReader()
        self._closing = False
        self._discarding = False
        self._discarded = 0
        self._reading = True
        self._write_paused = False
        self._pumping = False

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless the worker is full or the certificate is somebody else's."""
        # uvloop's transports have the interface and not the base class.
        self.transport = cast("asyncio.Transport", transport)
        self.outbox.transport = self.transport
        peer = self.transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self.caller = Caller(counted_address(self.peer), self._context.guesses)
        tls = self.transport.get_extra_info("ssl_object")
        self.scheme = b"http" if tls is None else b"https"
        if not self._context.callers.admit(self, address=self.caller.address) or not self._certificate_fits(tls):
            self.transport.abort()
            return
        self.deadline = self._context.clock() + self._context.timeouts.idle

    def _certificate_fits(self, tls: ssl.SSLObject | None) -> bool:
        names = self._context.ports.client_names(self.port)
        if not names:
            return True
        return tls is not None and carries_one_of(alt_names(tls.getpeercert()), names)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone, and whatever it asked for with it."""
        self._context.callers.leave(self)
        self.outbox.close()
        stream, self._stream = self._stream, None
        self._closing = True
        if stream is not None:
            stream.downstream_lost()

    def eof_received(self) -> bool:
        """A caller that closes its side is gone: nobody can tell a half-closed connection from an abandoned one."""
        return False

    def pause_writing(self) -> None:
        """The caller reads slowly."""
        self._write_paused = True
        self.outbox.watch(self._context.clock())
        if self._stream is not None:
            self._stream.downstream_paused(paused=True)

    def resume_writing(self) -> None:
        """The caller has caught up."""
        self._write_paused = False
        self.outbox.rest()
        if self._stream is not None:
            self._stream.downstream_paused(paused=False)
        self._pump()

    # Reading.

    def data_received(self, data: bytes) -> None:
        """A piece of a body, of a head, or of something to throw away."""
        if self._discarding:
            self._discard(data)
        elif self._body.open:
            self._feed_body(data)
            self._pump()
        else:
            self._buffer += data
            self._pump()

    def _pump(self) -> None:
        """Serve requests that are complete, one after the other and never one within the other.

        A caller that does not read its responses gets no further ones, and one that sends many requests in one piece
        does not keep the worker from the rest.
        """
        if self._pumping or self._closing:
            return
        self._pumping = True
        try:
            for _ in range(_PER_TURN):
                if not (self._buffer and self._may_start() and self._next_request()):
                    break
            else:
                asyncio.get_running_loop().call_soon(self._pump)
        finally:
            self._pumping = False
            if self._at:
                self._buffer, self._at = self._buffer[self._at :], 0
        self.flow()

    def _may_start(self) -> bool:
        return self._stream is None and not (self._closing or self._write_paused or self._body.open)

    def _next_request(self) -> bool:
        """Start the request at the buffer's beginning; False if its head is not complete."""
        if not self._scanned and not self._head_begins():
            return False
        end = self._buffer.find(_HEAD_END, self._at + max(0, self._scanned - 3)) - self._at
        limit = self._context.limits.head_bytes
        if end < 0 or end > limit:
            if not self._scanned:
                self.deadline = self._context.clock() + self._context.timeouts.head
            self._scanned = len(self._buffer) - self._at
            if self._scanned > limit:
                self._refuse(ReplyReason.HEAD_TOO_LARGE)
            return False
        block = self._buffer[self._at : self._at + end + 4]
        self._at += end + 4
        self._scanned = self._blank_lines = 0
        head = parse_request_head(block, max_headers=self._context.limits.header_count)
        if isinstance(head, ReplyReason):
            self._refuse(head)
            return False
        self._start(head)
        return True

    def _head_begins(self) -> bool:
        """Pass over a few empty lines; return whether the buffer then holds a request's first byte.

        They do not start the time-out of a head: a caller may send its empty line after a body and then say nothing.
        """
        while (pair := self._buffer[self._at : self._at + 2]) == b"\r\n" and self._blank_lines < _BLANK_LINES:
            self._at += 2
            self._blank_lines += 1
        if pair in (b"", b"\r"):
            return False
        if pair[0] in b"\r\n":
            self._refuse(ReplyReason.BAD_REQUEST_LINE)
            return False
        return True

    def _start(self, head: RequestHead) -> None:
        if not self._context.config.serves(self.port):
            # The listener went away with a later config; its connections end with their next request.
            self._refuse(ReplyReason.NO_ROUTE)
            return
        request = arrived(head, scheme=self.scheme)
        if request is None:
            self._refuse(ReplyReason.BAD_TARGET)
            return
        self._body.begin(head)
        self.deadline = NEVER
        stream = Stream(self, request, head=head, context=self._context)
        self._stream = stream
        stream.start()
        if self._stream is stream:
            if self._write_paused:
                stream.downstream_paused(paused=True)
            if not self._body.open:
                stream.request_end()
        if self._body.open and not self._discarding:
            data, self._buffer, self._at = self._buffer[self._at :], b"", 0
            if data:
                self._feed_body(data)
            self._await_body()

    def _await_body(self) -> None:
        if self._body.open and self._stream is not None:
            self._stream.await_body()

    def _feed_body(self, data: bytes) -> None:
        stream, body = self._stream, self._body
        try:
            piece = body.feed(data)
        except ChunkedError:
            self._break_off(ReplyReason.BAD_CHUNK)
            return
        if not body.open:
            self._buffer, body.rest = body.rest, b""
        elif body.behind:
            asyncio.get_running_loop().call_soon(self._catch_up)
        if stream is None:
            self._discarded += len(piece)
            return
        if piece:
            stream.request_data(piece)
        if not self._body.open and self._stream is stream:
            stream.request_end()

    def _catch_up(self) -> None:
        """Go on with tiny chunks, now that the others have had a turn."""
        if self._is_behind():
            self._feed_body(b"")
            self._pump()

    def _is_behind(self) -> bool:
        return self._body.behind and not self._closing

    # Answering.

    def body_will_be_dropped(self, *, expects_continue: bool) -> bool:
        """Whether what is left of the request's body is too much to read and throw away: the response must close."""
        if not self._body.open:
            return False
        return expects_continue or self._body.may_exceed(_SLACK)

    def finished(self, stream: object, *, keep_alive: bool) -> None:
        """The response is written; go on with the next request, or end."""
        if self._stream is not stream:
            return
        self._stream = None
        if not keep_alive or self._closing or self._context.callers.draining:
            self._end()
            return
        self.deadline = self._context.clock() + self._context.timeouts.idle
        self._pump()

    def abort(self) -> None:
        """Cut the connection: the caller must not take half a response for a whole one."""
        self._closing = True
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.downstream_lost()
        if self.transport is not None:
            self.transport.abort()

    def drain(self) -> None:
        """Close if idle; a request in flight is finished first."""
        if self._stream is None and not self._discarding:
            self._end()

    def cut(self) -> None:
        """End at once, and account for the request in flight."""
        if self._stream is None:
            self.abort()
        else:
            self._stream.worker_ends()

    def tick(self, now: float) -> None:
        """Act on what took too long."""
        self.outbox.settle()
        if now >= self.outbox.due and not self.outbox.keeps_pace(now):
            if self._stream is not None:
                self._stream.caller_too_slow()
            else:
                self.abort()
        elif self._stream is not None:
            self._stream.tick(now)
        elif now >= self.deadline:
            if self.outbox.keeps_pace(now):
                self.deadline = now + self._context.timeouts.write
            elif self._scanned and not self._closing:
                self._refuse(ReplyReason.REQUEST_TIMEOUT)
            else:
                self.abort()

    def flow(self) -> None:
        """Read from the caller only while there is room for it."""
        room = len(self._buffer) <= _SLACK + self._context.limits.head_bytes and not self._is_behind()
        stream = self._stream
        wanted = room and (not self._write_paused if stream is None else not stream.request_paused)
        if wanted == self._reading or self.transport is None or self.transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def _refuse(self, reason: ReplyReason) -> None:
        """Answer a request that could not even be read, and end: what follows it cannot be trusted."""
        reply = REFUSALS[reason]
        self._context.telemetry.unreadable(reply, port=self.port, peer=self.peer)
        self.outbox.write(reply_bytes(reply, self._context.reply_headers.fields(), close=True))
        self._end(linger=True)

    def _break_off(self, reason: ReplyReason) -> None:
        """The body's framing is broken in the middle of a request."""
        self._body.give_up()
        stream = self._stream
        if stream is None:
            self._end()
        else:
            stream.broken_request(reason)

    def _end(self, *, linger: bool = False) -> None:
        """Close so that the caller still reads the response: throw away what it sends for a moment.

        A connection closed over bytes that were never read is reset, and the reset overtakes the response.
        """
        self._closing = True
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if (linger or self._body.open) and transport.can_write_eof():
            transport.write_eof()
            self._buffer, self._at = b"", 0
            self._discarding = True
            self.deadline = self._context.clock() + _LINGER
            self.flow()
        else:
            transport.close()
            self.deadline = self._context.clock() + self._context.timeouts.write

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded > 16 * _SLACK:
            self.abort()
