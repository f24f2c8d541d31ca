"""The reading side of a connection to an upstream: conversations that make every move of its table, and the bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.proxy.core.http1.state_tables import moves_of, note_moves, reached, states_set_without_the_table
from wardgate.proxy.core.http1 import response_reader
from wardgate.proxy.core.http1.response_reader import Arrival, ResponseReader
from wardgate.proxy.core.http1.response_states import MOVES, ResponseState
from wardgate.proxy.core.http1.upgrades import Upgrade
from wardgate.proxy.core.messages import Incoming

MAX_HEAD = 2000

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Chess\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

Step = Callable[[ResponseReader], object]
Conversation = list[tuple[Step, object, ResponseState]]


def shown(arrivals: Sequence[Arrival]) -> list[object]:
    """Heads by their status, and the pieces of the body joined."""
    body = b"".join(each for each in arrivals if isinstance(each, bytes))
    heads: list[object] = [each.status for each in arrivals if isinstance(each, Incoming)]
    return heads + [body] * bool(body)


def got(data: bytes) -> Step:
    return lambda reader: shown(reader.receive(data))


def asked(reader: ResponseReader) -> None:
    reader.begin(head_request=False)


def asked_upgrade(reader: ResponseReader) -> None:
    reader.begin(head_request=False, upgrade=Upgrade(b"chess", b""))


def asked_head(reader: ResponseReader) -> None:
    reader.begin(head_request=True)


def closed(reader: ResponseReader) -> bool:
    """The connection ends; True: that completes the response."""
    return reader.close(clean=True)


def cut(reader: ResponseReader) -> bool:
    return reader.close(clean=False)


CONVERSATIONS: dict[str, Conversation] = {
    "responses follow their requests": [
        (asked, None, ResponseState.ASKED),
        (got(OK), [200, b"ok"], ResponseState.IDLE),
        (asked, None, ResponseState.ASKED),
        (got(OK[:-1]), [200, b"o"], ResponseState.BODY),
        (got(OK[-1:]), [b"k"], ResponseState.IDLE),
        (asked, None, ResponseState.ASKED),
        (got(EMPTY), [200], ResponseState.IDLE),
        (closed, False, ResponseState.CLOSED),
        (closed, False, ResponseState.CLOSED),
        (cut, False, ResponseState.CLOSED),
    ],
    "a head in pieces": [
        (asked, None, ResponseState.ASKED),
        (got(OK[:20]), [], ResponseState.HEAD),
        (got(OK[20:-2]), [200], ResponseState.BODY),
        (got(OK[-2:]), [b"ok"], ResponseState.IDLE),
        (cut, False, ResponseState.CLOSED),
    ],
    "a body in chunks, with trailers that are dropped": [
        (asked, None, ResponseState.ASKED),
        (got(CHUNKED + b"2\r\nok\r\n"), [200, b"ok"], ResponseState.BODY),
        (got(b"1\r\n!\r\n0\r\nSet-Cookie: a=b\r\n"), [b"!"], ResponseState.BODY),
        (got(b"\r\n"), [], ResponseState.IDLE),
    ],
    "informational responses come before the response": [
        (asked, None, ResponseState.ASKED),
        (got(EARLY), [103], ResponseState.HEAD),
        (got(EARLY + OK), [103, 200, b"ok"], ResponseState.IDLE),
    ],
    "an informational response in pieces": [
        (asked, None, ResponseState.ASKED),
        (got(EARLY[:9]), [], ResponseState.HEAD),
        (got(EARLY[9:]), [103], ResponseState.HEAD),
        (got(EARLY * 2 + OK), [103, 103, 200, b"ok"], ResponseState.IDLE),
        (asked, None, ResponseState.ASKED),
        (got(EARLY * 3), [103, 103, 103], ResponseState.HEAD),
        (got(EARLY), [], ResponseState.BROKEN),
    ],
    "a switch of protocols": [
        (asked_upgrade, None, ResponseState.ASKED),
        (got(SWITCH), [101], ResponseState.SWITCHED),
        (got(OK), [OK], ResponseState.SWITCHED),
        (closed, True, ResponseState.CLOSED),
    ],
    "a switch of protocols in pieces, behind an informational response and before other bytes": [
        (asked_upgrade, None, ResponseState.ASKED),
        (got(EARLY + SWITCH[:9]), [103], ResponseState.HEAD),
        (got(SWITCH[9:] + OK), [101, OK], ResponseState.SWITCHED),
        (cut, False, ResponseState.BROKEN),
    ],
    "a switch of protocols that was refused": [
        (asked_upgrade, None, ResponseState.ASKED),
        (got(OK), [200, b"ok"], ResponseState.IDLE),
        (asked, None, ResponseState.ASKED),
        (got(SWITCH), [], ResponseState.BROKEN),
    ],
    "a last response": [
        (asked, None, ResponseState.ASKED),
        (got(LAST[:-2]), [200], ResponseState.BODY),
        (got(LAST[-2:]), [b"ok"], ResponseState.LAST),
        (closed, False, ResponseState.CLOSED),
    ],
    "a last response without a body, in pieces": [
        (asked_head, None, ResponseState.ASKED),
        (got(LAST[:20]), [], ResponseState.HEAD),
        (got(LAST[20:-2]), [200], ResponseState.LAST),
        (cut, False, ResponseState.CLOSED),
    ],
    "the answer to HEAD ends with its head": [
        (asked_head, None, ResponseState.ASKED),
        (got(OK[:-2]), [200], ResponseState.IDLE),
        (asked, None, ResponseState.ASKED),
        (got(OK), [200, b"ok"], ResponseState.IDLE),
        (asked_head, None, ResponseState.ASKED),
        (got(CHUNKED[:20]), [], ResponseState.HEAD),
        (got(CHUNKED[20:]), [200], ResponseState.IDLE),
        (asked_head, None, ResponseState.ASKED),
        (got(LAST[:-2]), [200], ResponseState.LAST),
    ],
    "bytes behind the answer to HEAD": [
        (asked_head, None, ResponseState.ASKED),
        (got(CHUNKED + b"0"), [200], ResponseState.LAST),
    ],
    "a body that ends with the connection": [
        (asked, None, ResponseState.ASKED),
        (got(UNTIL_CLOSE + b"ok"), [200, b"ok"], ResponseState.UNTIL_CLOSE),
        (got(OK), [OK], ResponseState.UNTIL_CLOSE),
        (closed, True, ResponseState.CLOSED),
        (got(OK), [], ResponseState.CLOSED),
    ],
    "a body that ends with the connection, behind a head in pieces": [
        (asked, None, ResponseState.ASKED),
        (got(UNTIL_CLOSE[:-1]), [], ResponseState.HEAD),
        (got(UNTIL_CLOSE[-1:]), [200], ResponseState.UNTIL_CLOSE),
        (cut, False, ResponseState.BROKEN),
        (closed, False, ResponseState.BROKEN),
        (cut, False, ResponseState.BROKEN),
    ],
    "nothing came back": [
        (asked, None, ResponseState.ASKED),
        (closed, False, ResponseState.UNANSWERED),
        (closed, False, ResponseState.UNANSWERED),
        (cut, False, ResponseState.UNANSWERED),
        (got(OK), [], ResponseState.UNANSWERED),
    ],
    "nothing came back, by an error": [
        (asked, None, ResponseState.ASKED),
        (cut, False, ResponseState.UNANSWERED),
    ],
    "half a head": [
        (asked, None, ResponseState.ASKED),
        (got(OK[:20]), [], ResponseState.HEAD),
        (closed, False, ResponseState.BROKEN),
    ],
    "half a head, by an error": [
        (asked, None, ResponseState.ASKED),
        (got(OK[:20]), [], ResponseState.HEAD),
        (cut, False, ResponseState.BROKEN),
    ],
    "half a body": [
        (asked, None, ResponseState.ASKED),
        (got(OK[:-1]), [200, b"o"], ResponseState.BODY),
        (closed, False, ResponseState.BROKEN),
    ],
    "half a body, by an error": [
        (asked, None, ResponseState.ASKED),
        (got(CHUNKED + b"2\r\nok\r\n"), [200, b"ok"], ResponseState.BODY),
        (cut, False, ResponseState.BROKEN),
    ],
    "no response at all": [
        (asked, None, ResponseState.ASKED),
        (got(b"SSH-2.0-x\r\n"), [], ResponseState.BROKEN),
        (got(OK), [], ResponseState.BROKEN),
    ],
    "no response behind an informational one": [
        (asked, None, ResponseState.ASKED),
        (got(EARLY), [103], ResponseState.HEAD),
        (got(b"SSH-2.0-x\r\n"), [], ResponseState.BROKEN),
    ],
    "no chunk": [
        (asked, None, ResponseState.ASKED),
        (got(CHUNKED + b"2\r\nok\r\nx\r\n"), [200, b"ok"], ResponseState.BROKEN),
    ],
    "bytes that nobody asked for": [
        (got(OK), [], ResponseState.LAST),
        (got(OK), [], ResponseState.LAST),
    ],
    "a second response in one piece": [
        (asked, None, ResponseState.ASKED),
        (got(OK + OK.replace(b"ok", b"no")), [200, b"ok"], ResponseState.LAST),
    ],
    "a second answer to HEAD in one piece": [
        (asked_head, None, ResponseState.ASKED),
        (got(LAST[:-2] + OK), [200], ResponseState.LAST),
    ],
    "no response behind a last one, in one piece": [
        (asked, None, ResponseState.ASKED),
        (got(LAST + b"x"), [200, b"ok"], ResponseState.LAST),
    ],
}


def hold(conversation: Conversation) -> Iterator[tuple[object, ResponseState]]:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    for step, _, _ in conversation:
        yield step(reader), reader.state


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation_goes_as_written(name: str) -> None:
    conversation = CONVERSATIONS[name]
    assert [(result, state) for _, result, state in conversation] == list(hold(conversation))


def test_conversations_make_every_move_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    made = note_moves(monkeypatch, MOVES)
    for conversation in CONVERSATIONS.values():
        assert conversation[-1][-1] is list(hold(conversation))[-1][-1]
    assert moves_of(MOVES) == made


def test_every_state_is_reached_and_none_asks_again_after_the_end() -> None:
    assert set(ResponseState) == set(MOVES) == reached(MOVES, ResponseState.IDLE)
    for last in (ResponseState.LAST, ResponseState.BROKEN, ResponseState.UNANSWERED, ResponseState.CLOSED):
        assert reached(MOVES, last).isdisjoint({ResponseState.IDLE, ResponseState.ASKED}), last


def test_state_changes_by_the_table_alone() -> None:
    assert ["ResponseState.IDLE"] == states_set_without_the_table(response_reader)


def test_move_that_the_table_lacks_is_a_bug_of_the_owner() -> None:
    reader = reading(b"")
    with pytest.raises(KeyError):
        reader.begin(head_request=False)


def reading(data: bytes, *, head_request: bool = False) -> ResponseReader:
    """A reader that waits for a response, of which some has arrived."""
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    reader.begin(head_request=head_request)
    reader.receive(data)
    return reader


# How a response is delimited.


def head_of(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"", b""))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (head_of(b"Content-Length: 5"), ResponseState.BODY),
        (head_of(b"Content-Length: 5 "), ResponseState.BODY),
        (head_of(b"Content-Length:\t5\t"), ResponseState.BODY),
        (head_of(b"Content-Length: 0"), ResponseState.IDLE),
        (head_of(b"Transfer-Encoding: chunked"), ResponseState.BODY),
        (head_of(b"Transfer-Encoding: Chunked "), ResponseState.BODY),
        (head_of(b"Transfer-Encoding: gzip, chunked"), ResponseState.BODY),
        (head_of(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"), ResponseState.BODY),
        (head_of(b"Transfer-Encoding: chunked, gzip"), ResponseState.UNTIL_CLOSE),
        (head_of(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"), ResponseState.UNTIL_CLOSE),
        (head_of(b"Transfer-Encoding: xchunked"), ResponseState.UNTIL_CLOSE),
        (head_of(), ResponseState.UNTIL_CLOSE),
        (head_of(status=b"204 No Content"), ResponseState.IDLE),
        (head_of(status=b"304 Not Modified"), ResponseState.IDLE),
        (head_of(b"Content-Length: 5", status=b"304 Not Modified"), ResponseState.IDLE),
        (head_of(b"Transfer-Encoding: chunked", status=b"204 No Content"), ResponseState.IDLE),
        (head_of(b"Transfer-Encoding: chunked\t"), ResponseState.BROKEN),
        (head_of(b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked \t"), ResponseState.BROKEN),
        (head_of(b"Transfer-Encoding: gzip, chunked, \t"), ResponseState.UNTIL_CLOSE),
        (head_of(b"Content-Length: 5", b"Transfer-Encoding: chunked"), ResponseState.BROKEN),
        (head_of(b"Content-Length: 5", b"Content-Length: 5"), ResponseState.BROKEN),
        (head_of(b"Content-Length: 5, 5"), ResponseState.BROKEN),
        (head_of(b"Content-Length: +5"), ResponseState.BROKEN),
        (head_of(b"Content-Length:"), ResponseState.BROKEN),
        (head_of(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching Protocols"), ResponseState.BROKEN),
        (head_of(status=b"101 Switching Protocols"), ResponseState.BROKEN),
        (head_of(b"Content-Length: 5", status=b"103 Early Hints"), ResponseState.BROKEN),
        (head_of(b"Transfer-Encoding: chunked", status=b"103 Early Hints"), ResponseState.BROKEN),
        (head_of(status=b"099 X"), ResponseState.BROKEN),
    ],
)
def test_head_tells_how_the_response_is_delimited(head: bytes, expected: ResponseState) -> None:
    assert expected is reading(head).state


@pytest.mark.parametrize("field", [b"Content-Length: 10 ", b"Transfer-Encoding: chunked "])
def test_half_a_body_is_not_whole_because_blanks_stand_behind_its_framing(field: bytes) -> None:
    reader = reading(head_of(field) + b"4\r\nhalf\r\n")
    assert not reader.close(clean=True)
    assert ResponseState.BROKEN is reader.state


@pytest.mark.parametrize(
    ("head", "expected"),
    [(OK[:-2], 2), (head_of(b"Content-Length: 7 "), 7), (CHUNKED, None), (UNTIL_CLOSE, None), (EMPTY, 0)],
)
def test_length_is_the_one_that_the_head_gives(head: bytes, expected: int | None) -> None:
    assert (expected, expected) == (reading(head).length, reading(head, head_request=True).length)


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"204 No Content"])
@pytest.mark.parametrize("field", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Content-Length: 0"])
def test_answer_to_head_ends_with_its_head_whatever_that_says(status: bytes, field: bytes) -> None:
    assert ResponseState.IDLE is reading(head_of(field, status=status), head_request=True).state


@pytest.mark.parametrize(
    ("head", "method", "expected"),
    [
        (OK[:-2], "GET", None),
        (CHUNKED, "GET", None),
        (UNTIL_CLOSE, "GET", None),
        (EMPTY, "GET", b""),
        (OK[:-2], "HEAD", b""),
        (head_of(status=b"204 No Content"), "GET", b""),
        (head_of(b"Content-Length: 5", status=b"304 Not Modified"), "GET", b""),
    ],
)
def test_head_says_where_no_body_follows(head: bytes, method: str, expected: bytes | None) -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    reader.begin(head_request=method == "HEAD")
    (incoming,) = reader.receive(head)
    assert isinstance(incoming, Incoming)
    assert expected == incoming.body


def test_head_keeps_the_fields_that_go_on_and_all_that_arrived() -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    reader.begin(head_request=False)
    (head,) = reader.receive(head_of(b"X-Kept: a ", b"Connection: x-inner", b"X-Inner: b", b"Content-Length: 1"))
    assert isinstance(head, Incoming)
    assert [(b"x-kept", b"a")] == head.headers
    assert [b"x-kept", b"connection", b"x-inner", b"content-length"] == [name for name, _ in head.arrived]


@pytest.mark.parametrize(
    "switch",
    [
        SWITCH.replace(b"Chess", b"draughts"),
        SWITCH.replace(b"Chess", b"chess, draughts"),
        SWITCH.replace(b"Upgrade: Chess\r\n", b""),
        SWITCH.replace(b"Connection: Upgrade\r\n", b""),
        SWITCH.replace(b"Connection: Upgrade", b"Connection: close"),
        SWITCH.replace(b"Upgrade: Chess", b"Upgrade: chess\r\nContent-Length: 2"),
        SWITCH.replace(b"Upgrade: Chess", b"Upgrade: chess\r\nTransfer-Encoding: chunked"),
    ],
)
def test_switch_to_anything_but_the_protocol_that_was_asked_for_is_a_broken_response(switch: bytes) -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    asked_upgrade(reader)
    assert ([], ResponseState.BROKEN) == (shown(reader.receive(switch + OK)), reader.state)


def test_informational_response_keeps_the_fields_that_go_on() -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    reader.begin(head_request=False)
    (early,) = reader.receive(EARLY.replace(b"Link", b"Connection: x-inner\r\nX-Inner: a\r\nKeep-Alive: b\r\nLink"))
    assert isinstance(early, Incoming)
    assert (103, [(b"link", b"x")]) == (early.status, early.headers)


def test_fields_of_informational_responses_are_bounded_with_those_of_the_head() -> None:
    early = EARLY.replace(b"Link: x", b"Link: " + b"x" * (MAX_HEAD // 2))
    assert ResponseState.HEAD is reading(early).state
    assert ResponseState.BROKEN is reading(early + early).state


def test_head_that_cannot_be_delimited_is_not_handed_over() -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    reader.begin(head_request=False)
    assert () == tuple(reader.receive(head_of(b"Transfer-Encoding: chunked\t") + b"2\r\nok\r\n0\r\n\r\n"))
    assert "A tab stands behind the response's Transfer-Encoding." == reader.fault


def test_trailers_stand_in_no_later_head() -> None:
    reader = reading(CHUNKED + b"2\r\nok\r\n0\r\nSet-Cookie: a=b\r\nX-Last: c\r\n\r\n")
    reader.begin(head_request=False)
    head, _ = reader.receive(OK)
    assert isinstance(head, Incoming)
    assert ([(b"content-length", b"2")], []) == (head.arrived, head.headers)


# Bounds.


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 " + b"x" * 100,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20,
        CHUNKED + b"2\r\nok\r\n0\r\nX: " + b"x" * 100,
        CHUNKED + b"2\r\nok\r\n0\r\n" + b"a: b\r\n" * 20,
        CHUNKED + b"2;" + b"x" * 100,
    ],
)
def test_bytes_of_which_nothing_comes_break_the_response_at_the_bound(flood: bytes) -> None:
    reader = reading(flood)
    assert "" == reader.fault
    continued = b"a: b\r\n" if flood.endswith(b"b\r\n") else b"x"
    for _ in range(MAX_HEAD // len(continued) + 1):
        reader.receive(continued)
    assert ResponseState.BROKEN is reader.state
    assert "The response's head or trailers are too large." == reader.fault


def test_long_body_is_no_flood() -> None:
    reader = reading(CHUNKED)
    for _ in range(MAX_HEAD):
        for piece in (b"1\r\n", b"x", b"\r\n"):
            reader.receive(piece)
    assert ResponseState.BODY is reader.state


def test_long_row_of_responses_is_no_flood() -> None:
    reader = ResponseReader(max_head=MAX_HEAD, max_informational=3)
    for _ in range(MAX_HEAD):
        reader.begin(head_request=False)
        reader.receive(OK)
    assert ResponseState.IDLE is reader.state


@pytest.mark.parametrize(("fields", "expected"), [(120, ResponseState.IDLE), (130, ResponseState.BROKEN)])
def test_fields_of_head_and_trailers_are_bounded_together_in_one_piece_too(
    fields: int, expected: ResponseState
) -> None:
    # Each field counts for 16 bytes: its name, its value, and four that delimit them.
    lines = b"abcdef: ghijkl\r\n" * (fields // 2)
    response = CHUNKED[:-2] + lines + b"\r\n2\r\nok\r\n0\r\n" + lines + b"\r\n"
    assert expected is reading(response).state


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (head_of(b"Content-Length: 1", status=b"103 X"), "An informational response cannot have a body."),
        (head_of(b"Upgrade: x", b"Connection: upgrade", status=b"101 X"), "The upstream switched protocols."),
        (EARLY * 4, "The upstream sent too many informational responses."),
        (b"SSH-2.0", "The response is not HTTP/1.1: HttpParserError."),
    ],
)
def test_broken_response_says_why(response: bytes, fault: str) -> None:
    assert fault == reading(response).fault


@pytest.mark.parametrize(
    ("arrived", "expected"), [(b"", False), (b"H", True), (EARLY, True), (OK, True), (b"SSH-2.0", True)]
)
def test_request_may_have_been_served_once_a_byte_came_back(arrived: bytes, *, expected: bool) -> None:
    reader = reading(arrived) if arrived else reading(EMPTY)
    if not arrived:
        reader.begin(head_request=False)
    before = reader.has_begun
    reader.close(clean=True)
    assert (expected, expected) == (before, reader.has_begun)
