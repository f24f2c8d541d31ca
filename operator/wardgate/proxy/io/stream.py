"""One request on its way through: the core's decisions, carried out on a caller's and an upstream's connection.

    start -> (collect the body, if a plan reads it) -> connect -> send and stream -> response -> done

The core decides at ``start`` and ``advance``; nothing here looks at a header to decide who may pass. A request goes to
the configuration it started with, whatever is applied meanwhile (invariant 10), except that a revoked or expired key is
cut off after ``revoked_grace`` (invariant 5).

A request is sent a second time only if it can not have been served: on a connection that had been idle, which ended
before a byte of the response, and only where nothing of the body was streamed and the method is safe to repeat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.framing import LAST_CHUNK, chunk, is_bodiless, write_request_head, write_response_head
from wardgate.proxy.core.messages import HeaderList, Incoming, NeedBody, Outgoing, Reply, Request, Step
from wardgate.proxy.core.reasons import Reason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.core.request_head import RequestHead
from wardgate.proxy.io.errors import ResponseTooLarge, UpstreamError, UpstreamTimeout
from wardgate.proxy.io.upstream import UpstreamConnection

if TYPE_CHECKING:
    from wardgate.proxy.io.downstream import Downstream
    from wardgate.proxy.io.gateway import Gateway
    from wardgate.proxy.io.pool import EndpointPool

_NEVER = float("inf")
_HELD = 64 * 1024
"""Bytes of a body held while the upstream is not connected, or slow, before the caller is paused."""
_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})
_SENDS_LENGTH = frozenset({b"POST", b"PUT", b"PATCH"})


def reply_bytes(reply: Reply, gateway: Gateway, *, close: bool, head_request: bool = False) -> bytes:
    """Serialise an answer of the gateway's own."""
    headers = [*reply.headers, *gateway.own_headers()]
    head = write_response_head(status=reply.status, headers=headers, length=len(reply.body), chunked=False, close=close)
    return head if head_request else head + reply.body


class Stream:
    """See the module. Owned by its ``Downstream``; implements the pool's ``Waiter`` and the ``ResponseSink``."""

    __slots__ = (
        "_chunked_response",
        "_collected",
        "_collecting",
        "_connection",
        "_deadline",
        "_done",
        "_downstream",
        "_endpoint",
        "_exchange",
        "_gateway",
        "_head",
        "_held",
        "_held_bytes",
        "_incoming",
        "_keep_alive",
        "_method",
        "_outgoing",
        "_request_chunked",
        "_request_done",
        "_reserved",
        "_response_bytes",
        "_response_replaced",
        "_response_started",
        "_sent_body",
        "_started",
        "_upstream_paused",
        "_write_blocked",
        "method",
        "path",
        "received_bytes",
        "request_id",
        "request_paused",
        "sent_bytes",
        "status",
    )

    def __init__(self, downstream: Downstream, request: Request, head: RequestHead) -> None:
        self._downstream = downstream
        self._gateway = downstream.gateway
        self._head = head
        self._method = request.method
        self._exchange: Exchange = self._gateway.exchange(request, port=downstream.port)
        # What the log says of the request is what arrived, not what a plan made of it; never the query (invariant 7).
        self.method = request.method.decode("latin-1")
        self.path = request.path.decode("latin-1")
        self.request_id = next(
            (value.decode("latin-1") for name, value in request.headers if name == b"x-request-id"), ""
        )
        self._started = self._gateway.clock()
        self._deadline = _NEVER
        self._collecting = False
        self._collected: list[bytes] = []
        self._reserved = 0
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._request_done = False
        self._request_chunked = False
        self._sent_body = False
        self._outgoing: Outgoing | None = None
        self._endpoint: EndpointPool | None = None
        self._connection: UpstreamConnection | None = None
        self._incoming: Incoming | None = None
        self._response_bytes = 0
        self._response_replaced = False
        self._response_started = False
        self._chunked_response = False
        self._keep_alive = head.keep_alive
        self._upstream_paused = False
        self._write_blocked = False
        self._done = False
        self.request_paused = False
        self.status = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    # The request.

    def start(self) -> None:
        """Let the core decide about the head."""
        self._take(self._exchange.start())

    def request_data(self, data: bytes) -> None:
        """A piece of the caller's body."""
        self.received_bytes += len(data)
        if self._collecting:
            self._collect(data)
        elif self._outgoing is not None and self._outgoing.body is None:
            self._arm(self._gateway.timeouts.body)
            self._send_body(data)

    def request_end(self) -> None:
        """The caller's body is complete."""
        self._request_done = True
        if self._collecting:
            self._collecting = False
            body = b"".join(self._collected)
            self._collected = []
            self._take(self._exchange.advance(body))
        elif self._outgoing is not None and self._outgoing.body is None and self._request_chunked:
            self._send(LAST_CHUNK)
        if self._outgoing is not None:
            self._arm(self._gateway.timeouts.response)

    def broken_request(self, reason: Reason) -> None:
        """The rest of the request can not be read."""
        self._keep_alive = False
        self._refuse(reason)

    def _take(self, step: Step) -> None:
        if isinstance(step, Outgoing):
            self._forward(step)
        elif isinstance(step, NeedBody):
            self._begin_collecting()
        else:
            self._answer(step)

    def _begin_collecting(self) -> None:
        length = self._head.content_length
        if length is not None and length > self._gateway.limits.body_bytes:
            self._refuse(Reason.BODY_TOO_LARGE)
            return
        self._collecting = True
        self._arm(self._gateway.timeouts.body)
        if self._head.expect_continue and self._head.has_body:
            self._downstream.send_continue()

    def _collect(self, data: bytes) -> None:
        self._arm(self._gateway.timeouts.body)
        if self.received_bytes > self._gateway.limits.body_bytes:
            self._collecting = False
            self._refuse(Reason.BODY_TOO_LARGE)
        elif not self._reserve(len(data)):
            self._collecting = False
            self._refuse(Reason.OVERLOAD)
        else:
            self._collected.append(data)

    def _reserve(self, size: int) -> bool:
        if not self._gateway.reserve(size):
            return False
        self._reserved += size
        return True

    def _forward(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        if outgoing.body is None and self._head.has_body:
            self._request_chunked = self._head.chunked
            self._arm(self._gateway.timeouts.body)
            if self._head.expect_continue:
                self._downstream.send_continue()
        self._endpoint = self._gateway.endpoint(outgoing)
        if self._endpoint is None:
            self._refuse(Reason.NO_DESTINATION)
            return
        self._acquire(fresh=False)

    def _acquire(self, *, fresh: bool) -> None:
        assert self._endpoint is not None
        idle = None if fresh else self._endpoint.take_idle()
        if idle is not None:
            self._begin(idle)
        else:
            self._endpoint.connect(self)

    # The pool's waiter.

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """A new connection is open."""
        if self._done:
            assert self._endpoint is not None
            connection.used = 0
            self._endpoint.release(connection)
            return
        self._begin(connection)

    def upstream_failed(self, error: UpstreamError) -> None:
        """No connection could be had."""
        if not self._done:
            self._fail(error)

    def _begin(self, connection: UpstreamConnection) -> None:
        outgoing = self._outgoing
        assert outgoing is not None
        self._connection = connection
        connection.start(self, self._request_bytes(outgoing), head_request=self._method == b"HEAD")
        held, self._held, self._held_bytes = self._held, [], 0
        for piece in held:
            self._sent_body = True
            connection.write(piece)
        self._update_flow()
        if self._request_done or outgoing.body is not None:
            self._arm(self._gateway.timeouts.response)

    def _request_bytes(self, outgoing: Outgoing) -> bytes:
        headers = outgoing.headers
        body = outgoing.body
        if body is not None:
            length = len(body) if body or outgoing.method in _SENDS_LENGTH else None
            head = write_request_head(
                method=outgoing.method, target=outgoing.target, headers=headers, length=length, chunked=False
            )
            return head + body
        length = self._head.content_length
        if length is None and not self._request_chunked and outgoing.method in _SENDS_LENGTH:
            length = 0
        return write_request_head(
            method=outgoing.method,
            target=outgoing.target,
            headers=headers,
            length=length,
            chunked=self._request_chunked,
        )

    def _send_body(self, data: bytes) -> None:
        self._send(chunk(data) if self._request_chunked else data)

    def _send(self, data: bytes) -> None:
        if self._connection is not None:
            self._sent_body = True
            self._connection.write(data)
        else:
            self._held.append(data)
            self._held_bytes += len(data)
            self._update_flow()

    # The upstream's response sink.

    def response_head(self, *, status: int, headers: HeaderList, length: int | None) -> None:
        """The upstream answers."""
        self._arm(self._gateway.timeouts.response)
        if self._exchange.response_needs_body(status):
            self._incoming = Incoming(status, headers)
            return
        incoming = self._exchange.finish_response(Incoming(status, headers))
        self._response_replaced = incoming.body is not None
        if self._response_replaced:
            self._write_whole(incoming)
        else:
            self._write_head(incoming, length=length)

    def response_data(self, data: bytes) -> None:
        """A piece of the response's body."""
        self._arm(self._gateway.timeouts.response)
        if self._incoming is not None:
            self._collect_response(data)
        elif self._response_replaced:
            return
        elif self._chunked_response:
            self.sent_bytes += len(data)
            self._downstream.write(chunk(data))
        elif self._response_started:
            self.sent_bytes += len(data)
            self._downstream.write(data)

    def response_end(self) -> None:
        """The response is complete."""
        if self._incoming is not None:
            incoming, self._incoming = self._incoming, None
            incoming.body = b"".join(self._collected)
            self._collected = []
            finished = self._exchange.finish_response(incoming)
            self._write_whole(finished)
        elif self._chunked_response:
            self._downstream.write(LAST_CHUNK)
        self._release()
        self._finish()

    def upstream_lost(self, error: UpstreamError) -> None:
        """The upstream's connection ended too early."""
        connection, self._connection = self._connection, None
        if connection is not None and self._may_repeat(connection):
            self._acquire(fresh=True)
        else:
            self._fail(error)

    def upstream_paused(self, *, paused: bool) -> None:
        """The upstream reads slowly."""
        self._upstream_paused = paused
        self._update_flow()

    def _may_repeat(self, connection: UpstreamConnection) -> bool:
        outgoing = self._outgoing
        return (
            outgoing is not None
            and connection.used > 1
            and not connection.response_started
            and not self._sent_body
            and outgoing.method in _REPEATABLE
        )

    def _collect_response(self, data: bytes) -> None:
        self._response_bytes += len(data)
        if self._response_bytes > self._gateway.limits.body_bytes:
            self._incoming = None
            self._fail(ResponseTooLarge("The response is larger than a plan may buffer."))
        elif not self._reserve(len(data)):
            self._incoming = None
            self._refuse(Reason.OVERLOAD)
        else:
            self._collected.append(data)

    def _write_head(self, incoming: Incoming, *, length: int | None) -> None:
        self.status = incoming.status
        self._response_started = True
        bodiless = is_bodiless(status=incoming.status, head_request=self._method == b"HEAD")
        self._chunked_response = not bodiless and length is None and not self._head.http_1_0
        if length is None and not bodiless and self._head.http_1_0:
            self._keep_alive = False
        self._settle_keep_alive()
        if incoming.status in (204, 205):
            length = None
        self._downstream.write(
            write_response_head(
                status=incoming.status,
                headers=incoming.headers,
                length=length,
                chunked=self._chunked_response,
                close=not self._keep_alive,
            )
        )

    def _write_whole(self, incoming: Incoming) -> None:
        body = incoming.body or b""
        bodiless = is_bodiless(status=incoming.status, head_request=self._method == b"HEAD")
        self.status = incoming.status
        self._response_started = True
        self._settle_keep_alive()
        head = write_response_head(
            status=incoming.status,
            headers=incoming.headers,
            length=None if bodiless else len(body),
            chunked=False,
            close=not self._keep_alive,
        )
        self.sent_bytes += 0 if bodiless else len(body)
        self._downstream.write(head if bodiless else head + body)

    # The caller.

    def downstream_paused(self, *, paused: bool) -> None:
        """The caller reads slowly."""
        self._write_blocked = paused
        self._arm(self._gateway.timeouts.write if paused else self._gateway.timeouts.response)
        if self._connection is not None:
            self._connection.pause(paused=paused)

    def downstream_lost(self) -> None:
        """The caller is gone."""
        if self._done:
            return
        if not self.status:
            self.status = 499
        self._exchange.facts.reason = self._exchange.facts.reason or Reason.CALLER_GONE
        self._close_upstream()
        self._conclude()

    # Ends.

    def tick(self, now: float) -> None:
        """Act on what took too long, and on keys that are no longer good."""
        if now >= self._deadline:
            self._deadline = _NEVER
            self._timed_out()
        elif self._gateway.cut_off(self._exchange, now):
            self._cut(Reason.KEY_REVOKED)

    def _timed_out(self) -> None:
        if self._write_blocked:
            self._cut(Reason.CALLER_TOO_SLOW)
        elif not self._request_done and (
            self._collecting or (self._outgoing is not None and not self._upstream_paused)
        ):
            self._keep_alive = False
            self._refuse(Reason.REQUEST_TIMEOUT)
        else:
            self._fail(UpstreamTimeout("The upstream said nothing for too long."))

    def _fail(self, error: UpstreamError) -> None:
        self._gateway.upstream_error(self._exchange, error)
        self._refuse(error.reason)

    def _refuse(self, reason: Reason) -> None:
        """Answer, or cut the connection where half of a response is out already."""
        if self._response_started:
            self._cut(reason)
        else:
            self._answer(self._exchange.local_reply(REFUSALS[reason]))

    def _answer(self, answer: Reply) -> None:
        """Answer in the upstream's place; the reply has passed the response transformations."""
        self._close_upstream()
        self._outgoing = None
        self._exchange.facts.reason = self._exchange.facts.reason or answer.reason
        self._settle_keep_alive()
        self.status = answer.status
        self._response_started = True
        head_request = self._method == b"HEAD"
        data = reply_bytes(answer, self._gateway, close=not self._keep_alive, head_request=head_request)
        self._downstream.write(data)
        self._finish()

    def _cut(self, reason: Reason) -> None:
        """Half of the response is out: the only honest answer left is to cut the connection."""
        self._exchange.facts.reason = reason
        self._close_upstream()
        self._conclude()
        self._downstream.abort()

    def _finish(self) -> None:
        if self._done:
            return
        self._conclude()
        self._downstream.finished(self, keep_alive=self._keep_alive)

    def _conclude(self) -> None:
        self._done = True
        self._deadline = _NEVER
        self._gateway.unreserve(self._reserved)
        self._reserved = 0
        self._collected = []
        self._held = []
        self._gateway.record(self._exchange, self, self._downstream.peer, self._started)

    def _release(self) -> None:
        """Give the connection back, if the request went out whole; otherwise close it."""
        connection, self._connection = self._connection, None
        if connection is None or self._endpoint is None:
            return
        sent_whole = self._request_done or (self._outgoing is not None and self._outgoing.body is not None)
        if sent_whole:
            self._endpoint.release(connection)
        else:
            connection.close()

    def _close_upstream(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _settle_keep_alive(self) -> None:
        expects = self._head.expect_continue and self._outgoing is None
        if self._downstream.body_will_be_dropped(expects_continue=expects) and not self._request_done:
            self._keep_alive = False
        if self._gateway.draining:
            self._keep_alive = False

    def _arm(self, seconds: float) -> None:
        if not self._write_blocked or seconds == self._gateway.timeouts.write:
            self._deadline = self._gateway.clock() + seconds

    def _update_flow(self) -> None:
        paused = self._upstream_paused or self._held_bytes > _HELD
        if paused != self.request_paused:
            self.request_paused = paused
            self._downstream.flow()
