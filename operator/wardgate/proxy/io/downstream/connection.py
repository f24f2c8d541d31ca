"""One caller's connection: requests are read one at a time, and their responses written in order.

``ServerConnection`` decides what is a request, where its body ends and what follows it; this moves the bytes and keeps
the time. Reading stops while early requests fill their room or an upstream is slow, so that a caller can never make a
worker hold more than the limits say. Deadlines are checked by the worker's tick, not by a timer each.
"""

from __future__ import annotations

import asyncio
from typing import cast

from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.server_connection import (
    ANSWERING,
    BODY,
    DISCARDING,
    HEAD,
    IDLE,
    LEFTOVER,
    SWITCHED,
    ServerConnection,
)
from wardgate.proxy.core.origin.origin import RequestOrigin
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.io.downstream.closing import LINGER, close_gently
from wardgate.proxy.io.downstream.deadlines import NEVER, Deadlines
from wardgate.proxy.io.downstream.fast_stream import FastCaller, FastStream
from wardgate.proxy.io.downstream.half_close import HalfClose
from wardgate.proxy.io.downstream.other_end import certificate_fits, origin_of
from wardgate.proxy.io.downstream.outbox import Outbox
from wardgate.proxy.io.downstream.response_writer import reply_bytes
from wardgate.proxy.io.downstream.stream import Stream
from wardgate.proxy.io.downstream.turned_away import turn_away
from wardgate.proxy.io.downstream.unread import has_unread
from wardgate.proxy.io.shared.context import WorkerContext

_PER_TURN = 4
"""Requests served at once on one connection before the others get a turn. A caller may have thousands of them."""
_WITHOUT_REQUEST = frozenset({IDLE, LEFTOVER})


class Downstream(FastCaller):
    """See the module; asyncio's protocol by its methods. ``port`` is the listener's own, whatever port is bound for it.

    ``introduced``: the caller's address, where a load balancer introduced the connection.
    """

    __slots__ = (
        "_context",
        "_fast",
        "_half_close",
        "_introduced",
        "_pumping",
        "_reading",
        "_stream",
        "_write_paused",
        "deadline",
        "transport",
    )

    def __init__(self, context: WorkerContext, port: int, *, introduced: str = "") -> None:
        self._context = context
        self.port = port
        self._introduced = introduced
        self.origin = RequestOrigin(introduced, scheme=b"http", guesses=context.guesses)
        self.transport: asyncio.Transport | None = None
        self.deadline = NEVER
        limits = context.limits
        self.requests = ServerConnection(
            head_bytes=limits.head_bytes, target_bytes=limits.target_bytes, header_count=limits.header_count
        )
        self.outbox = Outbox(rate=context.limits.least_rate, window=context.timeouts.write, now=context.clock())
        self._stream: Stream | None = None
        self._fast = None if context.fast_path is None else FastStream(self, context.fast_path, context=context)
        self.deadlines = Deadlines(limits=context.limits, timeouts=context.timeouts, clock=context.clock)
        self._reading = True
        self._write_paused = False
        self._pumping = False
        self._half_close: HalfClose | None = None
        """There is one once the caller has ended its side, and waits for its responses."""

    # The connection.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless the worker is full or the certificate is somebody else's."""
        # uvloop's transports have the interface and not the base class.
        self.transport = cast("asyncio.Transport", transport)
        self.outbox.transport = self.transport
        self.origin = origin_of(self.transport, introduced=self._introduced, port=self.port, context=self._context)
        holder = self if self.origin.believes else self.origin.caller.address
        refusal = self._context.callers.admit(self, holder=holder)
        if refusal is not None:
            turn_away(self.transport, refusal, context=self._context)
            return
        if not certificate_fits(self.transport, port=self.port, context=self._context):
            self.transport.abort()
            return
        self.deadline = self._context.clock() + self._context.callers.idle_time

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone, and whatever it asked for with it."""
        self._context.callers.leave(self)
        self._settle()
        self.requests.end(can_linger=False)
        self._lose_stream()
        # Last, because the stream owes what was collected for it, and a lost transport may still count unsent bytes.
        self.outbox.close()
        self._fast = None

    def _lose_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.downstream_lost()

    def eof_received(self) -> bool:
        """The caller has ended its side; return whether it may wait for an answer (see ``half_close``)."""
        self._settle()
        transport, stream = self.transport, self._stream
        if transport is None or not (transport.can_write_eof() and self.requests.may_be_awaited):
            return False
        self._half_close = HalfClose(transport, now=self._context.clock())
        if stream is None:
            self._pump()  # the last byte of an empty line is no request, and will not become one
        elif self.requests.state is SWITCHED:
            stream.request_end()
        elif not self.requests.buffer:
            stream.writer.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """The caller reads slowly."""
        self._write_paused = True
        self._settle()
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
        fast = self._fast
        if fast is not None and self.requests.state is IDLE:
            if fast.held:
                data = fast.joined(data)
            if not (self.requests.buffer or self._write_paused) and fast.begin(data):
                if fast.active:
                    self.deadline = NEVER
                return
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        if self.requests.state is DISCARDING:
            if not self.requests.discard(data):
                self.abort()
            return
        piece = self.requests.receive(data)
        if piece is not None:
            self._take_body(piece)
        self._pump()

    def fast_finished(self) -> None:
        """The response to a plain request is written; go on with the next one."""
        self.requests.answered()
        self.deadline = self._context.clock() + self._context.callers.idle_time
        if self.requests.buffer:
            self._pump()

    def adopt(self, stream: Stream) -> None:
        """A stream goes on with a plain request."""
        self._stream = stream

    def _settle(self) -> None:
        """Something happens that is no part of a plain exchange."""
        fast = self._fast
        if fast is not None and fast.active:
            fast.hand_over()
        elif fast is not None and fast.held:
            self._receive(fast.release())

    def _pump(self) -> None:
        """Serve requests that are complete, one after the other and never one within the other.

        A caller that does not read its responses gets no further ones, and one that sends many requests in one piece
        does not keep the worker from the rest.
        """
        if self._pumping:
            return
        if self.requests.buffer:
            self._pumping = True
            try:
                self._serve_some()
            finally:
                self._pumping = False
        self.flow()

    def _serve_some(self) -> None:
        for _ in range(_PER_TURN):
            if self._write_paused or not (self.requests.buffer and self._next_request()):
                return
        asyncio.get_running_loop().call_soon(self._pump)

    def _next_request(self) -> bool:
        """Start the next request; False if its head is not complete, or it is not its turn."""
        requests = self.requests
        waited = requests.state is HEAD
        head = requests.next_request()
        if isinstance(head, RequestHead):
            self._start(head)
            return True
        if head is not None:
            self._refuse(head)
        elif self._half_close is not None and requests.state is not ANSWERING:
            self._end()  # what is missing of this one will not come
        elif requests.state is HEAD and not waited:
            self.deadline = self._context.clock() + self._context.timeouts.head
        return False

    def _start(self, head: RequestHead) -> None:
        listener = self._context.config.listener(self.port)
        if listener is None:
            # The listener went away with a later config; its connections end with their next request.
            self._refuse(ReplyReason.NO_ROUTE)
            return
        origin = self.origin
        origin.follow(listener.front)
        if origin.believes:
            origin.read(head.connection_fields)
        request = arrived(head, scheme=origin.scheme, forwarded=origin.forwarded)
        if request is None:
            self._refuse(ReplyReason.BAD_TARGET)
            return
        self.deadline = NEVER
        context = self._context
        if not context.callers.has_room():
            self._refuse(ReplyReason.OVERLOAD)
            return
        context.telemetry.began()
        exchange = context.config.exchange(request, port=self.port, caller=origin.caller)
        stream = Stream(self, exchange, head=head, context=context, started=context.clock())
        self._stream = stream
        stream.start()
        if self._write_paused and self._is_at(stream):
            stream.downstream_paused(paused=True)
        if head.has_body:
            self._take_early_body()
        elif self._is_at(stream):
            stream.request_end()

    def _is_at(self, stream: Stream) -> bool:
        """Whether the stream has not ended. Where an attribute was just set, a compiler takes it for unchanged."""
        return self._stream is stream

    def _take_early_body(self) -> None:
        """Take what came of a body with its head."""
        piece = self.requests.receive(b"")
        if piece is not None:
            self._take_body(piece)
        if self.requests.state is BODY and self._stream is not None:
            self._stream.await_body()
            if self._half_close is not None:
                self._lose_stream()  # what is missing of its body will not come
                self._end()

    def _take_body(self, piece: bytes | ReplyReason) -> None:
        stream = self._stream
        if isinstance(piece, ReplyReason):
            self._break_off(piece)
            return
        if self.requests.chunks is not None and self.requests.behind:
            asyncio.get_running_loop().call_soon(self._catch_up)
        if stream is None:
            return
        if piece:
            stream.request_data(piece)
        if self.requests.state is ANSWERING and self._stream is stream:
            stream.request_end()

    def _catch_up(self) -> None:
        """Go on with tiny chunks, now that the others have had a turn."""
        if self.requests.behind:
            self.data_received(b"")

    # Answering.

    def finished(self, stream: object, *, keep_alive: bool) -> None:
        """The response is written; go on with the next request, or end."""
        if self._stream is not stream:
            return
        self._stream = None
        if not keep_alive or (self._half_close is not None and not self.requests.buffer):
            self._end()
            return
        self.requests.answered()
        self.deadline = self._context.clock() + self._context.callers.idle_time
        self._pump()

    def abort(self) -> None:
        """Cut the connection: the caller must not take half a response for a whole one."""
        self._settle()
        self.requests.end(can_linger=False)
        self._lose_stream()
        if self.transport is not None:
            self.transport.abort()

    def drain(self) -> None:
        """End soon if idle; a request in flight, or arriving, is finished first."""
        is_plain = self._fast is not None and self._fast.active
        if not is_plain and self._stream is None and self.requests.state in _WITHOUT_REQUEST:
            self.deadline = min(self.deadline, self._context.clock() + self._context.callers.idle_time)

    def cut(self) -> None:
        """End at once, and account for the request in flight."""
        self._settle()
        if self._stream is None:
            self.abort()
        else:
            self._stream.refuse(ReplyReason.SHUTTING_DOWN)

    def tick(self, now: float) -> None:
        """Act on what took too long."""
        self.outbox.settle()
        if self._fast is not None and self._fast.active:
            self._fast.tick(now)
            return
        self._settle()
        writer = None if self._stream is None else self._stream.writer
        if self._half_close is not None and self._half_close.has_gone(now, writer=writer):
            self.abort()
        elif now >= self.outbox.due and not self.outbox.keeps_pace(now):
            if self._stream is not None:
                self._stream.cut(ReplyReason.CALLER_TOO_SLOW)
            else:
                self.abort()
        elif self._stream is not None:
            self._stream.tick(now)
        elif now >= self.deadline:
            if self.outbox.keeps_pace(now):
                self.deadline = now + self._context.timeouts.write
            elif self._reading and has_unread(self.transport):
                pass  # what has arrived is read before the next tick, and may be a request
            elif self.requests.state is HEAD:
                self._refuse(ReplyReason.REQUEST_TIMEOUT)
            elif self.requests.state is IDLE:
                self._end()
            else:
                self.abort()

    def flow(self) -> None:
        """Read from the caller only while there is room for it."""
        stream, requests = self._stream, self.requests
        # Nothing waits in the common case, which is asked about first.
        has_room = (not requests.buffer and requests.chunks is None) or requests.has_room
        wanted = has_room and not (self._write_paused if stream is None else stream.request_paused)
        if wanted == self._reading or self._half_close or self.transport is None or self.transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def _refuse(self, reason: ReplyReason) -> None:
        """Answer a request that could not even be read, and end: what follows it cannot be trusted."""
        reply = REFUSALS[self.requests.refuse(reason)]
        name = self._context.config.listener_name(self.port)
        self._context.telemetry.unreadable(reply, listener=name, peer=self.origin.peer)
        self.outbox.write(reply_bytes(reply, self._context.reply_headers.fields(), close=True))
        self._end()

    def _break_off(self, reason: ReplyReason) -> None:
        """The body's framing is broken in the middle of a request."""
        if self._stream is None:
            self._end()
        else:
            self._stream.broken_request(reason)

    def _end(self) -> None:
        """Close so that the caller still reads the response."""
        if close_gently(self.transport, self.requests, may_send=self._half_close is None):
            self.deadline = self._context.clock() + LINGER
            self.flow()
        else:
            self.deadline = self._context.clock() + self._context.timeouts.write
