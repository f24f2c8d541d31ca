"""A stream's state, and every way in which it ends: answered, refused, cut, or left by its caller.

``Stream`` carries the request and its response; whatever happens to them, they end here, once.
"""

from __future__ import annotations

from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.upgrades import SWITCHING_PROTOCOLS
from wardgate.proxy.core.messages import Reply
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import REFUSALS
from wardgate.proxy.io.downstream.caller_body import CallerBody
from wardgate.proxy.io.downstream.caller_side import CallerSide
from wardgate.proxy.io.downstream.closing import is_last_response
from wardgate.proxy.io.downstream.collected_bodies import CollectedBodies
from wardgate.proxy.io.downstream.phase import DECIDING, DONE, MOVES
from wardgate.proxy.io.downstream.response_collector import ResponseCollector
from wardgate.proxy.io.downstream.response_writer import ResponseWriter
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.upstream.errors import UpstreamError
from wardgate.proxy.io.upstream.request_sender import RequestSender


class EndingStream:
    """See the module."""

    __slots__ = (
        "_body",
        "_collected",
        "_context",
        "_deadlines",
        "_downstream",
        "_exchange",
        "_phase",
        "_sender",
        "_whole",
        "record",
        "writer",
    )

    def __init__(
        self, downstream: CallerSide, exchange: Exchange, *, head: RequestHead, context: WorkerContext, started: float
    ) -> None:
        self._downstream = downstream
        self._context = context
        self._exchange = exchange
        # The log tells the request as it arrived, not what a plan made of it; never the query (invariant 7).
        self.record = context.telemetry.record(exchange.request, peer=downstream.origin.address, started=started)
        self._deadlines = downstream.deadlines
        self._phase = DECIDING
        self._collected = CollectedBodies(context.bodies)
        self._body = CallerBody(downstream.deadlines)
        self._sender: RequestSender | None = None
        self._whole: ResponseCollector | None = None
        self.writer = ResponseWriter(downstream.outbox, head)

    def downstream_lost(self) -> None:
        """The caller is gone, which is how another protocol ends."""
        if self._phase is DONE:
            return
        if self.writer.status != SWITCHING_PROTOCOLS:
            self.writer.abandon()
            self._exchange.facts.reason = self._exchange.facts.reason or ReplyReason.CALLER_GONE
        self._close_upstream()
        self._conclude()

    def fail(self, error: UpstreamError) -> None:
        """The upstream is to blame."""
        if self._sender is not None:
            self._sender.blame(error)
        self._context.telemetry.upstream_error(self._exchange.facts.upstream, error)
        self.refuse(error.reason)

    def refuse(self, reason: ReplyReason) -> None:
        """Answer, or cut the connection where half of a response is out already."""
        if self.writer.started:
            self.cut(reason)
        else:
            self._answer(self._exchange.local_reply(REFUSALS[reason]))

    def _answer(self, answer: Reply) -> None:
        """Answer in the upstream's place; the reply has passed the response transformations."""
        self._close_upstream()
        self._sender = None
        self._exchange.facts.reason = self._exchange.facts.reason or answer.reason
        self._settle_keep_alive()
        self.writer.reply(answer, self._context.reply_headers.fields())
        self._finish()

    def cut(self, reason: ReplyReason) -> None:
        """Cut the connection: with half of the response out, no other answer is honest."""
        self._exchange.facts.reason = reason
        self._close_upstream()
        self._conclude()
        self._downstream.abort()

    def _finish(self) -> None:
        if self._phase is not DONE:
            self._conclude()
            self._downstream.finished(self, keep_alive=self.writer.keep_alive)

    def _conclude(self) -> None:
        self._phase = MOVES[self._phase][DONE]
        self._deadlines.end()
        if self._whole is not None:
            self._whole.stop()
            self._whole = None  # it knows this stream: a cycle would keep both until the garbage is collected
        self._collected.owe(self._downstream.outbox)
        record = self.record
        record.status, record.received, record.sent = self.writer.status, self._body.received, self.writer.sent_bytes
        self._context.telemetry.ended(self._exchange.facts, record, secrets=self._exchange)

    def _close_upstream(self) -> None:
        if self._sender is not None:
            self._sender.close()

    def _settle_keep_alive(self) -> None:
        requests, draining = self._downstream.requests, self._context.callers.draining
        if is_last_response(requests, draining=draining, sent_on=self._sender is not None):
            self.writer.keep_alive = False
