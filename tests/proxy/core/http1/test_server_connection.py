"""The reading side of a caller's connection: conversations that make every move of its table, and the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.proxy.core.http1.state_tables import moves_of, note_moves, reached, states_set_without_the_table
from wardgate.proxy.core.http1 import server_connection
from wardgate.proxy.core.http1.request_head import RequestHead
from wardgate.proxy.core.http1.server_connection import CONTINUE, ServerConnection
from wardgate.proxy.core.http1.server_states import MOVES, ServerState
from wardgate.proxy.core.reasons import ReplyReason

HEAD_BYTES = 1000
TARGET_BYTES = 200
SLACK = 64 * 1024

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
EXPECTING = POST.replace(b"Host", b"Expect: 100-continue\r\nHost")
GOOD = b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
BAD = b"2\r\nhe\r\nx\r\n"

Step = Callable[[ServerConnection], object]
Conversation = list[tuple[Step, object, ServerState]]


def got(data: bytes) -> Step:
    return lambda connection: connection.receive(data)


def read(connection: ServerConnection) -> object:
    """The next request by its first line's words, or why there is none."""
    head = connection.next_request()
    return head.method + b" " + head.target if isinstance(head, RequestHead) else head


def answered(connection: ServerConnection) -> None:
    connection.answered()


def switched(connection: ServerConnection) -> bytes:
    return connection.switch()


def refused(connection: ServerConnection) -> object:
    return connection.refuse(ReplyReason.NO_ROUTE)


def ended(connection: ServerConnection) -> bool:
    """The owner ends the connection; True: only the writing side."""
    return connection.end(can_linger=True)


def cut(connection: ServerConnection) -> bool:
    return connection.end(can_linger=False)


CONVERSATIONS: dict[str, Conversation] = {
    "requests follow each other": [
        (got(GET + GET + POST + b"hello"), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (read, None, ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (got(b""), b"hello", ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, None, ServerState.IDLE),
        (ended, False, ServerState.CLOSED),
        (cut, False, ServerState.CLOSED),
    ],
    "an early request waits for the response": [
        (got(GET), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (got(GET), None, ServerState.ANSWERING),
        (read, None, ServerState.ANSWERING),
        (ended, False, ServerState.CLOSED),
        (read, None, ServerState.CLOSED),
    ],
    "a head in pieces": [
        (got(GET[:9]), None, ServerState.IDLE),
        (read, None, ServerState.HEAD),
        (got(GET[9:-2]), None, ServerState.HEAD),
        (read, None, ServerState.HEAD),
        (got(GET[-2:]), None, ServerState.HEAD),
        (read, b"GET /a", ServerState.ANSWERING),
    ],
    "a head in pieces, and a body": [
        (got(POST[:9]), None, ServerState.IDLE),
        (read, None, ServerState.HEAD),
        (got(POST[9:]), None, ServerState.HEAD),
        (read, b"POST /b", ServerState.BODY),
        (got(b"hel"), b"hel", ServerState.BODY),
        (got(b"lo" + GET), b"lo", ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
    ],
    "a head without an end, cut off": [
        (got(GET[:9]), None, ServerState.IDLE),
        (read, None, ServerState.HEAD),
        (cut, False, ServerState.CLOSED),
        (got(GET), None, ServerState.CLOSED),
    ],
    "a head that comes too slowly": [
        (got(GET[:9]), None, ServerState.IDLE),
        (read, None, ServerState.HEAD),
        (refused, ReplyReason.NO_ROUTE, ServerState.REFUSED),
        (ended, True, ServerState.DISCARDING),
    ],
    "a body in chunks": [
        (got(CHUNKED + GOOD[:9]), None, ServerState.IDLE),
        (read, b"POST /c", ServerState.BODY),
        (got(b""), b"he", ServerState.BODY),
        (got(GOOD[9:] + GET), b"llo", ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
    ],
    "a body whose end is lost": [
        (got(CHUNKED + BAD + GET), None, ServerState.IDLE),
        (read, b"POST /c", ServerState.BODY),
        (got(b""), ReplyReason.BAD_CHUNK, ServerState.BROKEN),
        (got(GET), None, ServerState.BROKEN),
        (read, None, ServerState.BROKEN),
        (ended, True, ServerState.DISCARDING),
        (cut, False, ServerState.CLOSED),
    ],
    "a response before its body": [
        (got(POST), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (answered, None, ServerState.LEFTOVER),
        (read, None, ServerState.LEFTOVER),
        (got(b"hel"), b"hel", ServerState.LEFTOVER),
        (got(b"lo" + GET), b"lo", ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
    ],
    "a response before its body, whose end is lost": [
        (got(CHUNKED), None, ServerState.IDLE),
        (read, b"POST /c", ServerState.BODY),
        (answered, None, ServerState.LEFTOVER),
        (got(BAD), ReplyReason.BAD_CHUNK, ServerState.BROKEN),
        (cut, False, ServerState.CLOSED),
    ],
    "a last response before its body": [
        (got(POST + b"h"), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (ended, True, ServerState.DISCARDING),
        (got(b"ello" + GET), None, ServerState.DISCARDING),
        (read, None, ServerState.DISCARDING),
        (cut, False, ServerState.CLOSED),
    ],
    "a last response before its body, on a transport that closes whole": [
        (got(POST), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (cut, False, ServerState.CLOSED),
    ],
    "an end while a body is left over": [
        (got(POST), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (answered, None, ServerState.LEFTOVER),
        (ended, True, ServerState.DISCARDING),
    ],
    "a cut while a body is left over": [
        (got(POST), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (answered, None, ServerState.LEFTOVER),
        (cut, False, ServerState.CLOSED),
    ],
    "a head that cannot be read": [
        (got(GET.replace(b"1.1", b"9.9") + GET), None, ServerState.IDLE),
        (read, ReplyReason.HTTP_VERSION, ServerState.REFUSED),
        (read, None, ServerState.REFUSED),
        (refused, ReplyReason.NO_ROUTE, ServerState.REFUSED),
        (cut, False, ServerState.CLOSED),
    ],
    "a request that its owner refuses": [
        (got(GET), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (refused, ReplyReason.NO_ROUTE, ServerState.REFUSED),
        (got(GET), None, ServerState.REFUSED),
    ],
    "a request with a body that its owner refuses": [
        (got(POST), None, ServerState.IDLE),
        (read, b"POST /b", ServerState.BODY),
        (refused, ReplyReason.NO_ROUTE, ServerState.REFUSED),
        (got(b"hello"), None, ServerState.REFUSED),
    ],
    "another protocol": [
        (got(GET + b"\0early"), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (got(b" bytes"), None, ServerState.ANSWERING),
        (switched, b"\0early bytes", ServerState.SWITCHED),
        (got(GET), GET, ServerState.SWITCHED),
        (read, None, ServerState.SWITCHED),
        (got(b"\r\n\r\n"), b"\r\n\r\n", ServerState.SWITCHED),
        (ended, True, ServerState.DISCARDING),
    ],
    "another protocol, cut off": [
        (got(GET), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (switched, b"", ServerState.SWITCHED),
        (cut, False, ServerState.CLOSED),
    ],
    "two empty lines are passed over": [
        (got(b"\r"), None, ServerState.IDLE),
        (read, None, ServerState.IDLE),
        (got(b"\n\r\n"), None, ServerState.IDLE),
        (read, None, ServerState.IDLE),
        (got(GET + b"\r\n\r\n" + GET), None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
        (answered, None, ServerState.IDLE),
        (read, b"GET /a", ServerState.ANSWERING),
    ],
    "a third empty line is refused": [
        (got(b"\r\n\r\n\r"), None, ServerState.IDLE),
        (read, None, ServerState.IDLE),
        (got(b"\n"), None, ServerState.IDLE),
        (read, ReplyReason.BAD_REQUEST_LINE, ServerState.REFUSED),
    ],
    "a bare line end is refused": [
        (got(b"\n" + GET), None, ServerState.IDLE),
        (read, ReplyReason.BAD_REQUEST_LINE, ServerState.REFUSED),
    ],
}


def fresh() -> ServerConnection:
    return ServerConnection(head_bytes=HEAD_BYTES, target_bytes=TARGET_BYTES, header_count=50)


def held(connection: ServerConnection) -> int:
    """Bytes that arrived and were not read yet."""
    return len(connection.buffer) - connection._at


def hold(conversation: Conversation) -> Iterator[tuple[object, ServerState]]:
    connection = fresh()
    for step, _, _ in conversation:
        yield step(connection), connection.state


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_goes_as_written(name: str) -> None:
    conversation = CONVERSATIONS[name]
    assert [(result, state) for _, result, state in conversation] == list(hold(conversation))


def test_conversations_make_every_move_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    made = note_moves(monkeypatch, MOVES)
    for conversation in CONVERSATIONS.values():
        assert conversation[-1][-1] is list(hold(conversation))[-1][-1]
    assert moves_of(MOVES) == made


def test_every_state_is_reached_and_ends() -> None:
    assert set(ServerState) == set(MOVES) == reached(MOVES, ServerState.IDLE)
    assert [] == [state for state in ServerState if ServerState.CLOSED not in reached(MOVES, state)]


def test_nothing_is_served_behind_a_message_that_cannot_be_trusted() -> None:
    for last in (
        ServerState.BROKEN,
        ServerState.REFUSED,
        ServerState.SWITCHED,
        ServerState.DISCARDING,
        ServerState.CLOSED,
    ):
        assert reached(MOVES, last).isdisjoint({ServerState.IDLE, ServerState.BODY, ServerState.ANSWERING}), last


def test_state_changes_by_the_table_alone() -> None:
    assert ["ServerState.IDLE"] == states_set_without_the_table(server_connection)


def test_move_that_the_table_lacks_is_a_bug_of_the_owner() -> None:
    with pytest.raises(KeyError):
        fresh().answered()


# Bounds.


@pytest.mark.parametrize("cut_at", range(1, 5))
def test_head_of_the_greatest_length_is_read_and_a_longer_one_is_not(cut_at: int) -> None:
    def of_length(length: int) -> object:
        head = GET[:-4] + b"\r\nA: " + b"x" * (length - len(GET) - 1) + b"\r\n\r\n"
        assert length == len(head) - 4
        connection = fresh()
        connection.receive(head[:-cut_at])
        first = read(connection)
        connection.receive(head[-cut_at:])
        return first or read(connection)

    assert b"GET /a" == of_length(HEAD_BYTES)
    assert ReplyReason.HEAD_TOO_LARGE is of_length(HEAD_BYTES + 1)


def test_head_without_an_end_is_refused_at_the_bound() -> None:
    connection = fresh()
    connection.receive(GET[:-2].ljust(HEAD_BYTES + 4, b"x"))
    assert ReplyReason.HEAD_TOO_LARGE is connection.next_request()
    assert b"" == connection.buffer


@pytest.mark.parametrize("whole", [True, False])
def test_target_of_the_greatest_length_is_read_and_a_longer_one_is_not(whole: bool) -> None:  # noqa: FBT001
    def of_length(length: int) -> object:
        target = b"/" + b"a" * (length - 1)
        connection = fresh()
        head = GET.replace(b"/a", target)
        connection.receive(head if whole else head[:-4].ljust(HEAD_BYTES + 4, b"x"))
        answer = read(connection)
        return answer if isinstance(answer, ReplyReason) else len(target)

    assert (TARGET_BYTES if whole else ReplyReason.HEAD_TOO_LARGE) == of_length(TARGET_BYTES)
    assert ReplyReason.TARGET_TOO_LONG is of_length(TARGET_BYTES + (1 if whole else 64))


def test_request_line_without_an_end_is_refused_by_its_target() -> None:
    connection = fresh()
    connection.receive(b"G" * (HEAD_BYTES + 4))
    assert ReplyReason.TARGET_TOO_LONG is connection.next_request()


def test_early_requests_have_room_up_to_a_bound() -> None:
    connection = fresh()
    connection.receive(GET)
    connection.next_request()
    connection.receive(b"x" * (SLACK + HEAD_BYTES))
    assert connection.has_room
    connection.receive(b"x")
    assert not connection.has_room
    assert SLACK + HEAD_BYTES + 1 == held(connection)


def test_requests_that_were_read_take_no_room() -> None:
    connection = fresh()
    connection.receive(GET * 3)
    connection.next_request()
    assert 2 * len(GET) == held(connection)
    connection.receive(GET)
    assert 3 * len(GET) == held(connection)


def test_tiny_chunks_are_read_in_several_goes_without_more_arriving() -> None:
    connection = fresh()
    connection.receive(CHUNKED + b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n" + GET)
    connection.next_request()
    pieces = [connection.receive(b"")]
    assert not connection.has_room
    while connection.behind:
        pieces.append(connection.receive(b""))
    assert b"x" * 1000 == b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert (True, ServerState.ANSWERING, len(GET)) == (connection.has_room, connection.state, held(connection))


def test_what_comes_after_the_end_is_thrown_away_up_to_a_bound() -> None:
    connection = fresh()
    connection.receive(POST)
    connection.next_request()
    connection.end(can_linger=True)
    assert [True] * 16 == [connection.discard(b"x" * SLACK) for _ in range(16)]
    assert not connection.discard(b"x")


# The last response.


@pytest.mark.parametrize(
    ("arrived", "sent_on", "expected"),
    [
        (GET, False, False),
        (POST, False, False),
        (POST.replace(b"5", b"%d" % SLACK), False, False),
        (POST.replace(b"5", b"%d" % (SLACK + 1)), False, True),
        (POST.replace(b"5", b"%d" % (SLACK + 1)) + b"x", False, False),
        (CHUNKED, True, True),
        (CHUNKED + GOOD, True, False),
        (EXPECTING, False, True),
        (EXPECTING, True, False),
        (EXPECTING + b"hello", False, False),
    ],
)
def test_response_is_the_last_where_too_much_is_left_or_nobody_knows_what(
    arrived: bytes, *, sent_on: bool, expected: bool
) -> None:
    connection = fresh()
    connection.receive(arrived)
    connection.next_request()
    connection.receive(b"")
    assert expected is connection.must_close(sent_on=sent_on)


def test_sign_is_for_those_who_wait_for_it() -> None:
    def sign(arrived: bytes, *, whole: bool = False) -> bytes:
        connection = fresh()
        connection.receive(arrived + b"hello")
        connection.next_request()
        if whole:
            connection.receive(b"")
        return connection.invitation

    assert [b"", CONTINUE, b""] == [sign(POST), sign(EXPECTING), sign(EXPECTING, whole=True)]
    assert b"" == sign(EXPECTING.replace(b"5", b"0"))


def test_sign_of_one_request_is_not_given_to_the_next() -> None:
    connection = fresh()
    connection.receive(EXPECTING + b"hello" + POST)
    connection.next_request()
    connection.receive(b"")
    connection.answered()
    connection.next_request()
    assert (b"", False) == (connection.invitation, connection.must_close(sent_on=False))
