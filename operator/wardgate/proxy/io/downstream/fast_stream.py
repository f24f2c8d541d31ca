"""A plain request on its way, as long as nothing happens but its plain response.

It knows the good case and nothing else. Whatever else happens, to the caller, the upstream, the key or the clock, it
hands over to a ``Stream`` in the middle of the exchange, which goes on as if it had carried the request from the
beginning. So deadlines, repeats, revocation and endings stand in one place.
"""

from __future__ import annotations

from abc import abstractmethod

from wardgate.proxy.core.fast_path.lane import HEAD_END, Lane
from wardgate.proxy.core.fast_path.plain_chunks import PlainChunks
from wardgate.proxy.core.fast_path.plain_request import PlainRequest
from wardgate.proxy.core.fast_path.plain_responses import CHUNKED, PlainResponse
from wardgate.proxy.io.downstream.caller_side import CallerSide
from wardgate.proxy.io.downstream.deadlines import NEVER
from wardgate.proxy.io.downstream.handover import Handover
from wardgate.proxy.io.downstream.response_writer import reply_bytes
from wardgate.proxy.io.downstream.stream import Stream
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.shared.fast_path import FastPath
from wardgate.proxy.io.upstream.connection import FastSink, UpstreamConnection
from wardgate.proxy.io.upstream.pool import EndpointPool
from wardgate.proxy.io.upstream.request_sender import MOST_HELD, STALE
from wardgate.proxy.request_record import NO_MOMENT

_LONGEST = 256 * 1024
"""Of a response's body that may come in pieces: handed over in the middle, it is counted through once more."""


class FastCaller(CallerSide):
    """The caller's connection."""

    __slots__ = ()

    @abstractmethod
    def adopt(self, stream: Stream) -> None:
        """A stream goes on with the request."""

    @abstractmethod
    def fast_finished(self) -> None:
        """The response is written; go on with the next request."""


class FastStream(FastSink):
    """Of one caller's connection, for one request after the other. ``active``: it has one."""

    __slots__ = (
        "_asked",
        "_chunks",
        "_connection",
        "_context",
        "_data",
        "_downstream",
        "_endpoint",
        "_first_byte",
        "_head",
        "_held_since",
        "_lane",
        "_left",
        "_moved",
        "_path",
        "_patience",
        "_plain",
        "_provider_id",
        "_sent",
        "_started",
        "_status",
        "_ticks",
        "_wall",
        "active",
        "held",
    )

    def __init__(self, downstream: FastCaller, path: FastPath, *, context: WorkerContext) -> None:
        self._downstream = downstream
        self._path = path
        self._context = context
        self._lane: Lane | None = None
        self._plain: PlainRequest | None = None
        self._connection: UpstreamConnection | None = None
        self._endpoint: EndpointPool | None = None
        self._data = b""
        self._started = self._asked = self._first_byte = self._moved = self._wall = NO_MOMENT
        timeouts = context.timeouts
        self._patience = min(timeouts.response_head, timeouts.response_idle, timeouts.request or NEVER)
        """Seconds in which nothing can be due."""
        self._head = b""
        """The response's head as it arrived, once it is on its way to the caller without all of its body."""
        self._provider_id = b""
        self._chunks: PlainChunks | None = None
        self._left = self._sent = self._status = self._ticks = 0
        self.active = False
        self.held = b""
        """A plain request whose body is not all here, as it arrived."""
        self._held_since = NO_MOMENT

    def begin(self, data: bytes) -> bool:
        """Send a request on, if it is plain and a connection waits for it; else nothing has happened.

        Many clients send a head and its body one after the other. So a plain request is held until its body is here,
        and for a tick at most, lest it be sent in two pieces, and on the general way.
        """
        context = self._context
        since, self._held_since = self._held_since, NO_MOMENT
        lane = self._lane_in_force()
        if lane is None or not context.callers.has_room():
            return False
        started, wall = since or context.clock(), context.now()
        plain = lane.read(data, now=wall)
        if plain is None:
            return False
        if plain.missing:
            return self._hold(data, plain, since=started)
        if plain.outcome is None:
            return self._refuse(plain, started, wall=wall)
        outcome = plain.outcome
        taken = context.upstreams.take_idle(outcome.upstream, outcome.holder)
        if taken is None:
            lane.put_back(plain)
            return False
        endpoint, connection = taken
        self._plain, self._lane, self._endpoint, self._connection = plain, lane, endpoint, connection
        self._data, self._wall = data, wall
        if plain.length > MOST_HELD:
            self._let_go()
        self._started, self._first_byte = started, NO_MOMENT
        self._asked = self._moved = context.clock()
        self._head, self._left, self._sent, self._chunks = b"", 0, 0, None
        self._ticks = 0
        self.active = True
        self._downstream.requests.pass_by()
        context.telemetry.began()
        origin = self._downstream.origin
        if origin.believes:
            origin.read(plain.claims)
        connection.start_fast(self)
        told = origin.lines if outcome.is_told else b""
        connection.write(plain.written(data, dialled=endpoint.host, told=told))
        return True

    def _refuse(self, plain: PlainRequest, started: float, *, wall: float) -> bool:
        """Answer a request that has no good key."""
        context, downstream, refusal = self._context, self._downstream, plain.refusal
        # Behind an answer to a long body the connection ends, which is for the general way to say.
        if refusal is None or context.callers.draining or plain.length > MOST_HELD:
            return False
        context.telemetry.began()
        if downstream.origin.believes:
            downstream.origin.read(plain.claims)
        downstream.requests.pass_by()
        if refusal.second != int(wall):
            refusal.second = int(wall)
            refusal.written = reply_bytes(refusal.reply, context.reply_headers.fields(), close=False)
        downstream.outbox.write(refusal.written)
        context.telemetry.refused_fast(plain, refusal, peer=downstream.origin.address, started=started)
        downstream.fast_finished()
        return True

    def _hold(self, data: bytes, plain: PlainRequest, *, since: float) -> bool:
        if plain.length > MOST_HELD:
            return False  # it streams
        self.held = data
        self._held_since = since
        return True

    def joined(self, data: bytes) -> bytes:
        """Put what arrived behind what is held; ``begin`` follows."""
        data, self.held = self.held + data, b""
        return data

    def release(self) -> bytes:
        """Give what is held to the general way."""
        self._held_since = NO_MOMENT
        return self.joined(b"")

    def _lane_in_force(self) -> Lane | None:
        config = self._context.config
        table = config.table
        if table is None or config.is_stale:
            return None
        lane = self._path.lanes.get(self._downstream.port)
        if lane is None or lane.table is not table or lane.credentials is not config.credentials:
            lane = self._path.lane(table, config.credentials, port=self._downstream.port)
        if lane is not None and lane.listener.front is not self._downstream.origin.front:
            self._downstream.origin.follow(lane.listener.front)
        return lane

    # The upstream.

    def receive(self, data: bytes) -> bool:
        """Take what arrived of the response; False: it is not plain, and to be read by whoever it is handed over to."""
        if self._left:
            return self._receive_more(data)
        if self._chunks is not None:
            return self._receive_chunks(self._chunks, data)
        response = self._read(data)
        if response is None or self._context.callers.draining:
            return False
        if response.length == CHUNKED:
            return self._begin_chunks(response, data)
        left = response.length - (len(data) - response.at)
        if left < 0 or (left and response.length > _LONGEST):
            return False
        self._status, self._provider_id = response.status, response.provider_id
        self._sent, self._left = response.length - left, left
        if left:
            self._moved = self._context.clock()
            self._first_byte = self._moved if self._sent else NO_MOMENT
            self._head = data[: response.at]
            self._downstream.outbox.write(response.head + data[response.at :])
        else:
            self._finish(response.head + data[response.at :] if response.length else response.head)
        return True

    def _read(self, data: bytes) -> PlainResponse | None:
        plain = self._plain
        assert plain is not None
        answer = None if plain.outcome is None else plain.outcome.answer
        if answer is None:
            return self._path.responses.read(data)
        responses = plain.way.responses
        return None if responses is None else responses.read(data, answer)

    def _receive_more(self, data: bytes) -> bool:
        left = self._left - len(data)
        if left < 0:
            return False
        self._sent += len(data)
        self._left = left
        if left:
            self._moved = self._context.clock()
            self._first_byte = self._first_byte or self._moved
            self._downstream.outbox.write(data)
        else:
            self._finish(data)
        return True

    def _begin_chunks(self, response: PlainResponse, data: bytes) -> bool:
        chunks = PlainChunks()
        written = chunks.take(data[response.at :])
        if written is None:
            return False
        self._status, self._provider_id = response.status, response.provider_id
        self._head = data[: response.at]
        self._chunks = chunks
        self._write_chunks(chunks, response.head + written)
        return True

    def _receive_chunks(self, chunks: PlainChunks, data: bytes) -> bool:
        written = chunks.take(data)
        if written is None:
            return False
        self._write_chunks(chunks, written)
        return True

    def _write_chunks(self, chunks: PlainChunks, data: bytes) -> None:
        self._sent = chunks.sent
        if chunks.done:
            self._finish(data)
            return
        self._moved = self._context.clock()
        if self._sent:
            self._first_byte = self._first_byte or self._moved
        self._downstream.outbox.write(data)

    def _finish(self, data: bytes) -> None:
        """Write the last of the response, and be ready for the next request."""
        connection, endpoint, plain = self._connection, self._endpoint, self._plain
        assert connection is not None
        assert endpoint is not None
        assert plain is not None
        # Before the write, which may tell at once that the caller reads too slowly: nothing is left to hand over.
        self.active = False
        self._downstream.outbox.write(data)
        connection.end_fast()
        endpoint.release(connection)
        self._plain = self._connection = None
        # Nothing of the request and its response is held while the connection waits for another one.
        self._data = self._head = b""
        self._chunks = self._lane = None
        self._context.telemetry.ended_fast(
            plain,
            peer=self._downstream.origin.address,
            started=self._started,
            asked=self._asked,
            first_byte=self._first_byte,
            provider_id=self._provider_id,
            status=self._status,
            sent=self._sent,
        )
        self._downstream.fast_finished()

    def _let_go(self) -> None:
        """Hold nothing of the body any longer than a stream would: one holds a body that a plan has made."""
        if self._plain is not None and self._plain.body is None:
            self._data = self._data[: self._data.index(HEAD_END) + len(HEAD_END)]

    # Whatever else happens.

    def tick(self, now: float) -> None:
        """Hand over if anything may be due that is not for this to judge."""
        self._ticks += 1
        if self._ticks == STALE:
            self._let_go()
        if now - self._moved >= self._patience or self._may_be_revoked():
            self.hand_over().tick(now)

    def _may_be_revoked(self) -> bool:
        context, outcome = self._context, None if self._plain is None else self._plain.outcome
        # Not by the lane, which is everybody's: another caller's request may have renewed it.
        return (
            outcome is None
            or context.config.credentials is not outcome.credentials
            or context.now() >= outcome.credential.expires_at
        )

    def hand_over(self) -> Stream:
        """Have a stream go on with the request, from where it stands."""
        connection, endpoint, plain, lane = self._connection, self._endpoint, self._plain, self._lane
        assert connection is not None
        assert endpoint is not None
        assert plain is not None
        assert lane is not None
        self.active = False
        self._plain = self._connection = None
        connection.end_fast()
        stream = Handover(
            plain=plain,
            data=self._data,
            lane=lane,
            endpoint=endpoint,
            connection=connection,
            started=self._started,
            asked=self._asked,
            wall=self._wall,
            ticks=self._ticks,
        ).stream(self._downstream, self._context)
        if self._head:
            body = bytes(self._sent) if self._chunks is None else self._chunks.replayed()
            incoming, length = connection.replay(self._head, body)
            stream.resume_response(incoming, length, sent=self._sent, since=self._moved)
            stream.record.first_byte = self._first_byte
        self._data = self._head = b""
        self._chunks = self._lane = None
        self._downstream.adopt(stream)
        return stream
