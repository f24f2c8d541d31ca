"""One request on its way through: the core's decisions, carried out on a caller's and an upstream's connection.

The core decides at ``start`` and ``advance``; nothing here looks at a header to decide who may pass. How far the
stream has come, and where it may go from there, is said in ``phase``. A request goes to
the configuration it started with, whatever is applied meanwhile (invariant 10), except that a revoked or expired key is
cut off after ``revoked_grace`` (invariant 5).
"""

from __future__ import annotations

from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.trailers import request_trailers
from wardgate.proxy.core.http1.upgrades import SWITCHING_PROTOCOLS
from wardgate.proxy.core.messages import Incoming, NeedBody, Outgoing, Step
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.downstream.caller_side import CallerSide
from wardgate.proxy.io.downstream.deadlines import NEVER
from wardgate.proxy.io.downstream.ending import EndingStream
from wardgate.proxy.io.downstream.phase import (
    COLLECTING,
    DECIDING,
    FORWARDING,
    MOVES,
    READING,
    RELAYING,
    REPLACING,
)
from wardgate.proxy.io.downstream.response_collector import ResponseCollector
from wardgate.proxy.io.downstream.tunnel import begin_tunnel
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.upstream.errors import BadResponse, UpstreamError, overdue_error
from wardgate.proxy.io.upstream.pool import EndpointPool
from wardgate.proxy.io.upstream.request_sender import RequestSender


class Stream(EndingStream):
    """See the module. Owned by its ``CallerSide``; implements ``Requester`` and ``ResponseTaker``."""

    __slots__ = ("_head", "_revoked_at", "_upstream_paused", "_write_blocked", "request_paused")

    def __init__(
        self, downstream: CallerSide, exchange: Exchange, *, head: RequestHead, context: WorkerContext, started: float
    ) -> None:
        super().__init__(downstream, exchange, head=head, context=context, started=started)
        self._head = head
        self._revoked_at = NEVER
        self._upstream_paused = False
        self._write_blocked = False
        self.request_paused = False

    # The request.

    def start(self) -> None:
        """Let the core decide about the head, by a config that may still be trusted."""
        if self._context.config.is_stale:
            self.refuse(ReplyReason.CONFIG_TOO_OLD)
        elif self._head.passed and self._context.loop_mark.is_in(self._head.passed):
            self.refuse(ReplyReason.REQUEST_LOOP)
        else:
            self._take(self._exchange.start())

    def resume(self, outgoing: Outgoing, *, endpoint: EndpointPool, received: int) -> RequestSender:
        """Go on with a request that is on its way already, with all of its body; return its sender, to be resumed."""
        self._body.received = received
        self._body.is_complete = True
        self._phase = MOVES[self._phase][FORWARDING]
        sender = self._sender = self._sender_of(outgoing, endpoint)
        self._deadlines.await_response(since=self.record.started)
        return sender

    def resume_response(self, incoming: Incoming, length: int | None, *, sent: int, since: float) -> None:
        """Go on with a response whose head, and ``sent`` bytes of a body, the caller has already, ``since`` then."""
        self.response_head(incoming, length=length)
        self.writer.resume(sent)
        self._deadlines.await_response(since=since)

    def await_body(self) -> None:
        """More of the caller's body is to come than came with the head."""
        self._body.await_more()

    def request_data(self, data: bytes) -> None:
        """A piece of the caller's body."""
        refusal = self._body.piece(data)
        if refusal is None:
            self._update_flow()
        else:
            self.refuse(refusal)

    def request_end(self) -> None:
        """The caller's body is complete."""
        self._body.end(request_trailers(self._downstream.requests.trailers, self._exchange.request))
        if self._phase is COLLECTING:
            self.record.collected(self._context.clock())
            self._phase = MOVES[self._phase][DECIDING]
            # The key may have been revoked, or have expired, while the body was on its way (invariant 5).
            config, body = self._context.config, self._body.take()
            if config.is_stale:
                self.refuse(ReplyReason.CONFIG_TOO_OLD)
            else:
                self._take(self._exchange.advance(body, credentials=config.credentials, now=self._context.now()))
        if self._sender is not None:
            self._deadlines.await_response()

    def broken_request(self, reason: ReplyReason) -> None:
        """The rest of the request cannot be read."""
        self.writer.keep_alive = False
        self.refuse(reason)

    def _take(self, step: Step) -> None:
        if isinstance(step, Outgoing):
            self._forward(step)
        elif isinstance(step, NeedBody):
            self._begin_collecting(step.longest)
        else:
            self._answer(step)

    def _begin_collecting(self, longest: int | None) -> None:
        limit = self._context.limits.body_bytes
        most = limit if longest is None else min(limit, longest)
        if (self._head.content_length or 0) > most:
            self.refuse(ReplyReason.BODY_TOO_LARGE)
            return
        self._phase = MOVES[self._phase][COLLECTING]
        self.record.collecting = self._context.clock()
        self._body.collector = self._collected.begin(self._exchange.holder, most=most)
        if self._head.expect_continue:
            self._body.invite(self._downstream.outbox, self._downstream.requests)

    def _forward(self, outgoing: Outgoing) -> None:
        refusal = self._collected.charge_to(self._exchange.holder)
        if refusal is not None:
            self.refuse(refusal)
            return
        if outgoing.body is None and self._head.expect_continue:
            self._body.invite(self._downstream.outbox, self._downstream.requests)
        endpoint = self._context.upstreams.endpoint(outgoing)
        if endpoint is None:
            self.refuse(ReplyReason.NO_DESTINATION)
            return
        self._phase = MOVES[self._phase][FORWARDING]
        self.record.asks(self._context.clock())
        sender = self._sender = self._sender_of(outgoing, endpoint)
        if sender.streams:
            self._body.sender = sender
        sender.acquire()

    def _sender_of(self, outgoing: Outgoing, endpoint: EndpointPool) -> RequestSender:
        if self._exchange.responses:
            self.writer.transformed()
        return RequestSender(
            outgoing,
            self._head,
            mark=self._context.loop_mark,
            upgrades=self._context.upgrades,
            asks_trailers=self.writer.takes_trailers,
            endpoint=endpoint,
            requester=self,
            holder=self._exchange.holder,
        )

    # The upstream.

    def request_begins(self) -> None:
        """The request's head is on a connection."""
        if self._sender is not None:
            if self._write_blocked:
                self._sender.hold(held=True)
            if self._body.is_complete or not self._sender.streams:
                self._deadlines.await_response()
        # Pieces that were held are out, so a caller that was stopped for them may go on.
        if self.request_paused:
            self._update_flow()

    def response_head(self, incoming: Incoming, *, length: int | None) -> None:
        """The upstream answers."""
        self.record.response_fields = incoming.arrived
        self._deadlines.response_began(incoming.headers, length=length)
        if self._exchange.response_needs_body(incoming.status):
            collector = self._collected.begin(self._exchange.holder, most=self._context.limits.body_bytes)
            self._phase = MOVES[self._phase][READING]
            self._whole = ResponseCollector(incoming, collector, taker=self, expansion=self._context.limits.expansion)
            self._whole.begin()
            return
        if self._sender is not None and self._sender.asked_head and not self.writer.asked_head:
            length = 0  # a transformation asked for a head only; this caller waits for a body
        if self.writer.asked_head:
            incoming.body = b""
        self._exchange.finish_response(incoming)
        self._settle_keep_alive()
        if incoming.body:
            self._phase = MOVES[self._phase][REPLACING]
            self.record.first_byte = self._context.clock()
            self.writer.whole(incoming)
        else:
            self._phase = MOVES[self._phase][RELAYING]
            self.writer.begin(incoming, length=length)

    def informational(self, incoming: Incoming) -> None:
        """The upstream answers later, or switches protocols. Nothing passes that a plan should have seen."""
        self._deadlines.await_response()
        if incoming.status != SWITCHING_PROTOCOLS:
            self.writer.relay_informational(incoming)
        elif self._exchange.finish_response(incoming).status == SWITCHING_PROTOCOLS and self._sender is not None:
            self._phase = MOVES[self._phase][RELAYING]
            self.record.response_fields = incoming.arrived
            begin_tunnel(incoming, self._sender, caller=self._downstream, body=self._body, writer=self.writer)
        else:
            self.fail(BadResponse("A transformation made another response of a switch of protocols."))

    def response_data(self, data: bytes) -> None:
        """A piece of the response's body."""
        self._deadlines.await_response()
        if self._phase is RELAYING:
            if not self.record.first_byte:
                self.record.first_byte = self._context.clock()
            self.writer.piece(data)
        elif self._whole is not None:
            self._whole.add(data)

    def response_waits(self) -> None:
        """No more of the response has arrived."""
        self.writer.flush()

    def response_end(self) -> None:
        """The response is complete."""
        if self._sender is not None:
            self._sender.release(complete=self._body.is_complete)
        if self._whole is not None:
            self.record.upstream_ended = self._context.clock()
            self._whole.end()
            return
        if self._phase is RELAYING:
            self.writer.end()
        self._finish()

    def upstream_lost(self, error: UpstreamError) -> None:
        """The upstream's connection ended too early."""
        if self.writer.status == SWITCHING_PROTOCOLS:
            self.cut(error.reason)  # a caller may have provoked it: it counts against no endpoint
        elif self._sender is None or not self._sender.repeat():
            self.fail(error)
        else:
            self.record.attempts += 1

    def upstream_paused(self, *, paused: bool) -> None:
        """The upstream reads slowly."""
        self._upstream_paused = paused
        self._update_flow()

    # The response's taker.

    def response_whole(self, incoming: Incoming) -> None:
        """The response is collected."""
        self._exchange.finish_response(incoming)
        self._settle_keep_alive()
        self.record.first_byte = self._context.clock()
        self.writer.whole(incoming)
        self._finish()

    def upstream_held(self, *, held: bool) -> None:
        """The response is decoded more slowly than it arrives."""
        if self._sender is not None:
            self._sender.hold(held=held or self._write_blocked)

    # The caller.

    def downstream_paused(self, *, paused: bool) -> None:
        """The caller reads slowly."""
        self._write_blocked = paused
        self._deadlines.caller_blocked(blocked=paused)
        if self._sender is not None:
            self._sender.hold(held=paused)

    # Ends.

    def tick(self, now: float) -> None:
        """Act on what took too long, and on keys that are no longer good."""
        if self._sender is not None:
            self._sender.tick()
        overdue = self._deadlines.overdue(now, began=NEVER if self.writer.started else self.record.started)
        if overdue is ReplyReason.IDLE_TIMEOUT:
            self.cut(overdue)
        elif overdue is ReplyReason.REQUEST_TIMEOUT and not self.request_paused:
            self.broken_request(overdue)
        elif overdue is not None:
            self.fail(overdue_error(overdue))
        else:
            self._revoked_at = self._context.config.revoked_since(self._exchange, known=self._revoked_at, now=now)
            if now - self._revoked_at >= self._context.timeouts.revoked_grace:
                self.cut(ReplyReason.KEY_REVOKED)

    def endpoint_failed(self, error: UpstreamError) -> None:
        """Another endpoint of the upstream is asked."""
        self._context.telemetry.upstream_error(self._exchange.facts.upstream, error)
        self.record.attempts += 1

    def _update_flow(self) -> None:
        paused = self._upstream_paused or (self._sender is not None and self._sender.overfull)
        if paused != self.request_paused:
            self.request_paused = paused
            self._deadlines.body_stalled()
            self._downstream.flow()
