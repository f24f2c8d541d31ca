"""Both state machines of HTTP/1.1 on any bytes: however these are cut, the same comes out, and the tables hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.response_reader import ResponseReader
from wardgate.proxy.core.http1.response_states import ResponseState
from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.core.http1.server_states import MOVES, ServerEvent, ServerState
from wardgate.proxy.core.http1.upgrades import SWITCHING_PROTOCOLS, Upgrade
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.reasons import ReplyReason

REQUESTS = (
    b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /b HTTP/1.0\r\nHost: h\r\n\r\n",
    b"HEAD /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    b"POST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /e HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n",
    b"POST /g HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"GET /h HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100 + b"\r\n\r\n",
    b"\r\n",
)
RESPONSES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0 \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nA: b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    b"HTTP/1.0 200 OK\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\nEmpty:\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 099 X\r\nContent-Length: 1\r\n\r\nx",
)


def mutated(messages: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Messages of which a few bytes are replaced."""

    def mutate(message: bytes, at: float, removed: int, put: bytes) -> bytes:
        index = int(at * len(message))
        return message[:index] + put + message[index + removed :]

    put = st.one_of(st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b":", b"0", b"f", b"-"]), st.binary(max_size=3))
    return st.builds(mutate, st.sampled_from(messages), st.floats(0, 1), st.integers(0, 3), put)


def wires(messages: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """A few messages behind each other, of which some are wrong."""
    message = st.one_of(st.sampled_from(messages), mutated(messages), st.binary(max_size=20))
    return st.lists(message, min_size=1, max_size=4).map(b"".join)


def cuts(wire: bytes, at: Sequence[float]) -> list[bytes]:
    """The wire in pieces, none of them empty."""
    edges = sorted({0, len(wire), *(int(each * len(wire)) for each in at)})
    return [wire[start:end] for start, end in pairwise(edges)]


CUTS = st.lists(st.floats(0, 1), max_size=6)


class Served:
    """An owner that answers each request at its end, or, where it is hasty, at its head."""

    def __init__(self, *, hasty: bool) -> None:
        self.connection = ServerConnection(head_bytes=100, target_bytes=100, header_count=3)
        self.said: list[object] = []
        self._hasty = hasty

    def take(self, data: bytes) -> None:
        if self.connection.state is ServerState.DISCARDING:
            assert self.connection.discard(data)
            return
        self._body(data)
        while (head := self.connection.next_request()) is not None:
            if isinstance(head, ReplyReason):
                self._give_up(head)
                return
            self._begin(head)

    def _begin(self, head: RequestHead) -> None:
        assert self.connection.state is (ServerState.BODY if head.has_body else ServerState.ANSWERING)
        self.said += [(head.method, head.target, head.content_length, head.chunked), b""]
        if head.has_body:
            if self._hasty:
                self.connection.answered()
            self._body(b"")
        else:
            self.connection.answered()

    def _body(self, data: bytes) -> None:
        piece = self.connection.receive(data)
        if isinstance(piece, ReplyReason):
            self.said[-1] = b""  # chunks that came in one piece with the broken one are dropped with it
            self._give_up(piece)
        elif piece is not None:
            self.said[-1] = bytes(self.said[-1]) + piece  # type: ignore[call-overload]
            if self.connection.behind:
                self._body(b"")
            elif self.connection.state is ServerState.ANSWERING:
                self.said += ["end", list(self.connection.trailers)]
                self.connection.answered()

    def _give_up(self, reason: ReplyReason) -> None:
        self.said.append(reason)
        self.connection.end(can_linger=True)


def served(pieces: Sequence[bytes], *, hasty: bool) -> tuple[list[object], ServerState, int]:
    owner = Served(hasty=hasty)
    for piece in pieces:
        owner.take(piece)
    return owner.said, owner.connection.state, len(owner.connection.buffer) - owner.connection._at


@given(wire=wires(REQUESTS), at=CUTS, hasty=st.booleans())
def test_requests_are_the_same_however_their_bytes_are_cut(*, wire: bytes, at: list[float], hasty: bool) -> None:
    assert served(cuts(wire, ()), hasty=hasty) == served(cuts(wire, at), hasty=hasty)


@given(wire=wires(REQUESTS), hasty=st.booleans())
def test_requests_are_the_same_byte_by_byte(*, wire: bytes, hasty: bool) -> None:
    assert served(cuts(wire, ()), hasty=hasty) == served([wire[at : at + 1] for at in range(len(wire))], hasty=hasty)


OWNER: dict[str, ServerEvent] = {
    "answered": ServerEvent.ANSWERED,
    "switch": ServerEvent.SWITCH,
    "refuse": ServerEvent.REFUSE,
    "end": ServerEvent.CLOSE,
}


@given(st.lists(st.one_of(wires(REQUESTS), st.sampled_from(["read", *OWNER])), max_size=30))
def test_no_bytes_lead_out_of_the_table_whatever_its_owner_may_do(steps: list[bytes | str]) -> None:
    connection = ServerConnection(head_bytes=100, target_bytes=100, header_count=3)
    ended = False
    for step in steps:
        if isinstance(step, bytes):
            piece = connection.receive(step)
            assert piece is None or not ended
        elif step == "read":
            head = connection.next_request()
            assert head is None or not ended
        elif OWNER[step] in MOVES[connection.state]:
            if step == "answered":
                connection.answered()
            elif step == "switch":
                connection.switch()
            elif step == "refuse":
                connection.refuse(ReplyReason.NO_ROUTE)
            else:
                connection.end(can_linger=True)
        ended = ended or connection.state in (ServerState.REFUSED, ServerState.DISCARDING, ServerState.CLOSED)
        assert not ended or connection.buffer == b""
        assert isinstance(connection.must_close(sent_on=False), bool)


def is_last(head: Incoming) -> bool:
    """Whether no head may follow this one."""
    return head.status >= 200 or head.status == SWITCHING_PROTOCOLS


def read(pieces: Sequence[bytes], *, head_request: bool) -> tuple[list[object], bool, ResponseState]:
    """What comes of a response: its head and its body; whether it was whole before the end; how the end was taken."""
    reader = ResponseReader(max_head=2000, max_informational=3)
    reader.begin(head_request=head_request, upgrade=None if head_request else Upgrade(b"x", b""))
    said: list[object] = []
    body = b""
    over = False
    trailers: list[object] = []
    for piece in pieces:
        for arrival in reader.receive(piece):
            if isinstance(arrival, bytes):
                body += arrival
            else:
                assert not over, "A second head."
                over = is_last(arrival)
                said += [arrival.status, arrival.headers, arrival.arrived]
                trailers.append(arrival.trailers)
    whole = reader.state in (ResponseState.IDLE, ResponseState.LAST)
    assert reader.has_begun is bool(pieces)
    assert bool(reader.fault) is (reader.state is ResponseState.BROKEN) or whole
    reader.close(clean=True)
    # Trailers of half a response go nowhere.
    return [*said, reader.length, body, *(trailers if whole else ())], whole, reader.state


@given(wire=wires(RESPONSES), at=CUTS, head_request=st.booleans())
@example(wire=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0", at=[0.99], head_request=True)
def test_response_is_the_same_however_its_bytes_are_cut(*, wire: bytes, at: list[float], head_request: bool) -> None:
    assert read(cuts(wire, ()), head_request=head_request) == read(cuts(wire, at), head_request=head_request)


@given(wire=wires(RESPONSES), head_request=st.booleans())
@example(
    wire=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\nA: b\r\n0\r\n", head_request=False
)
def test_response_is_the_same_byte_by_byte(*, wire: bytes, head_request: bool) -> None:
    alone = [wire[at : at + 1] for at in range(len(wire))]
    assert read(cuts(wire, ()), head_request=head_request) == read(alone, head_request=head_request)


@given(
    st.sampled_from(RESPONSES[:3]),
    st.binary(min_size=1, max_size=9).filter(lambda behind: behind[0] not in b"\r\n"),
    CUTS,
)
def test_bytes_behind_a_response_cost_the_connection_and_not_the_response(
    response: bytes, behind: bytes, at: list[float]
) -> None:
    reader = ResponseReader(max_head=2000, max_informational=3)
    reader.begin(head_request=False)
    for piece in cuts(response + behind, at):
        reader.receive(piece)
    assert ResponseState.LAST is reader.state


@given(
    st.lists(
        st.one_of(wires(RESPONSES), st.sampled_from(["ask", "ask head", "ask upgrade", "close", "cut"])), max_size=20
    )
)
def test_no_bytes_lead_out_of_the_table_of_responses(steps: list[bytes | str]) -> None:
    reader = ResponseReader(max_head=2000, max_informational=3)
    due = 0
    for step in steps:
        if isinstance(step, bytes):
            due -= sum(not isinstance(arrival, bytes) and is_last(arrival) for arrival in reader.receive(step))
        elif step in ("close", "cut"):
            reader.close(clean=step == "close")
        elif reader.state is ResponseState.IDLE:
            due = 1
            upgrade = Upgrade(b"x", b"") if step == "ask upgrade" else None
            reader.begin(head_request=step == "ask head", upgrade=upgrade)
        assert due >= 0, "A head that nobody asked for."
