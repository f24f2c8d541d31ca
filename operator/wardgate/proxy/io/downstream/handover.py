"""A plain request, handed over to a stream: what the exchange decides about it, decided again.

The exchange gets what was in force when the request began, so it decides as it did then.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.fast_path.lane import HEAD_END, Lane
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.fields.folded import first_value
from wardgate.proxy.core.http1.arrival import arrived
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import NeedBody, Outgoing, Request
from wardgate.proxy.io.downstream.caller_side import CallerSide
from wardgate.proxy.io.downstream.stream import Stream
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.shared.request_ids import HEADER
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.pool import EndpointPool


@dataclass(frozen=True, slots=True)
class Handover:
    """``data``: the request as it arrived, or its head where the body was let go. It is on ``connection``.

    ``started`` and ``asked``: moments of the clock, when it began and when it was sent on; ``wall``: when it began, in
    unix seconds; ``ticks``: since then.
    """

    plain: PlainRequest
    data: bytes
    lane: Lane
    endpoint: EndpointPool
    connection: UpstreamConnection
    started: float
    asked: float
    wall: float
    ticks: int

    def stream(self, downstream: CallerSide, context: WorkerContext) -> Stream:
        """Return a stream that waits for the response."""
        outcome = self.plain.outcome
        assert outcome is not None, "What is handed over was decided."
        head, request = self._request(downstream, context)
        exchange = Exchange(
            self.lane.table,
            outcome.credentials,
            listener=self.lane.listener,
            request=request,
            caller=downstream.origin.caller,
            now=self.wall,
            pick=lambda _: outcome.drawn,
        )
        stream = Stream(downstream, exchange, head=head, context=context, started=self.started)
        stream.record.asks(self.asked)
        received = max(self.plain.length, 0)
        body = self.data[self.data.index(HEAD_END) + len(HEAD_END) :]
        outgoing = exchange.start()
        if isinstance(outgoing, NeedBody):
            outgoing = exchange.advance(body)
        assert isinstance(outgoing, Outgoing), "Decided so before, by the same table and keys."
        sender = stream.resume(outgoing, endpoint=self.endpoint, received=received)
        if outgoing.body is not None:
            body, received = b"", 0  # it goes with the head
        sender.resume(self.connection, body if len(body) == received else None, ticks=self.ticks)
        return stream

    def _request(self, downstream: CallerSide, context: WorkerContext) -> tuple[RequestHead, Request]:
        size = self.data.index(HEAD_END) + len(HEAD_END)
        head = parse_request_head(self.data[:size], max_headers=context.limits.header_count)
        assert isinstance(head, RequestHead), "A plain request is a request."
        origin = downstream.origin
        request = arrived(head, scheme=origin.scheme, forwarded=origin.forwarded)
        assert request is not None, "A plain request has a target."
        if first_value(request.headers, HEADER) is None:
            request.headers.append((HEADER, self.plain.request_id))
        request.request_id = self.plain.request_id
        return head, request
