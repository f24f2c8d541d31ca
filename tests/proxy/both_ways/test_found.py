"""Conversations in which the ways have differed, or either was wrong: cut down, and told by what went wrong."""

from __future__ import annotations

from dataclasses import replace

from tests.proxy.both_ways.events import (
    AnnounceEnd,
    Apply,
    Connect,
    Conversation,
    Deliver,
    Event,
    LoseUpstream,
    Pass,
    Response,
    Send,
)
from tests.proxy.both_ways.marks import mark
from tests.proxy.both_ways.oracle import Comparison, compare
from tests.proxy.both_ways.worlds import World

PLAIN = World(only=("plain", "open", "twin"))
REVOKED = replace(PLAIN, keys=PLAIN.keys - {"good"})


def get(caller: int, number: int = 0, *, key: bytes = b"good", path: bytes = b"/plain") -> Send:
    """A plain request; one with a number carries a mark."""
    marked = b"x-mark: " + mark(caller, number) + b"\r\n" if number else b""
    head = b"GET " + path + b" HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-" + key + b"\r\n"
    return Send(caller, head + marked + b"\r\n")


def played(*events: Event, tight: bool = False, **responses: Response) -> Comparison:
    """Play it; ``responses`` by ``r`` and the number of a request of caller 1."""
    marked = {mark(1, int(name[1:])): response for name, response in responses.items()}
    compared = compare(Conversation((Connect(1), Connect(2), get(1), *events), PLAIN, marked, tight=tight))
    assert () == compared.differences
    return compared


def statuses(compared: Comparison) -> list[object]:
    return [line["status"] for line in compared.fast.lines]


def test_blanks_behind_a_value_of_a_response_are_none_of_it() -> None:
    blank = Response((b"HTTP/1.1 200 OK\r\nvary: Origin  \r\ncontent-length: 0\r\n\r\n",))
    compared = played(get(1, 1), r1=blank)
    assert b"HTTP/1.1 200 OK\r\nvary: Origin\r\ncontent-length: 0\r\n\r\n" == compared.general.steps[4].written["c1.0"]
    assert 1 == compared.fast.fast


def test_request_whose_key_was_revoked_goes_on_although_another_request_came_after_that() -> None:
    """The other one had the lane renewed that the first was handed over by."""
    chunks = Response((b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",), held=True)
    compared = played(get(1, 1), Apply(REVOKED), get(2), Deliver(), r1=chunks)
    assert [200, 401, 200] == statuses(compared)


def test_request_whose_key_was_revoked_is_cut_off_although_another_request_came_after_that() -> None:
    compared = played(
        get(1, 1), Apply(REVOKED), get(2), Pass(1.0), Pass(61.0), r1=Response((b"HTTP/1.1 200",), held=True)
    )
    assert "key_revoked" == compared.fast.lines[-1]["reason"]


def test_caller_above_its_share_of_one_endpoint_takes_no_turn_of_another() -> None:
    """The fast way had taken an endpoint's turn before it was refused a connection, and the general one the next."""
    mine, others = get(2, path=b"/twin", key=b"second"), get(2, path=b"/twin")
    compared = played(
        get(1, 1, path=b"/twin", key=b"second"),
        others,
        others,
        others,
        mine,
        tight=True,
        r1=Response((b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",), held=True),
    )
    assert "caller_over_share" in [line["reason"] for line in compared.fast.lines]


def test_time_for_which_a_request_was_held_is_none_of_the_next_ones() -> None:
    """It had been released to the general way by a tick, and its beginning was the next request's."""
    head = b"POST /plain HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-good\r\ncontent-length: 2\r\n\r\n"
    compared = played(Send(1, head), Pass(5.0), Send(1, b"hi", begins=False), get(1))
    assert [0.0, 5000.0, 0.0] == [line["duration_ms"] for line in compared.fast.lines]


def test_empty_lines_that_follow_plain_requests_are_counted_for_each_alone() -> None:
    """The third one was refused: the fast way passed requests by without beginning a new count."""
    blank = Send(1, b"\r\n")
    compared = played(get(1), blank, get(1), blank, get(1), blank, get(1))
    assert [200] * 5 == statuses(compared)


def put(key: bytes = b"good", *, size: int, number: int = 0) -> Send:
    marked = b"x-mark: " + mark(1, number) + b"\r\n" if number else b""
    head = b"PUT /plain HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-%b\r\n%bcontent-length: %d\r\n\r\n"
    return Send(1, head % (key, marked, size) + b"b" * size)


def test_connection_ends_behind_an_answer_to_a_long_body_that_came_in_one_piece() -> None:
    compared = played(put(b"wrong", size=1 << 16), put(b"wrong", size=(1 << 16) + 1))
    assert [["c1.0 eof"]] == [step.ends for step in compared.fast.steps[:6] if step.ends]
    assert 1 == compared.fast.fast


def test_body_that_was_let_go_is_not_sent_again() -> None:
    held = Response((b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",), held=True)
    early = played(put(size=3, number=1), LoseUpstream(0), r1=held)
    late = played(put(size=3, number=1), Pass(1.0), Pass(1.0), LoseUpstream(0), r1=held)
    long = played(put(size=(1 << 16) + 1, number=1), LoseUpstream(0), r1=held)
    assert [[2, 200], [1, 502], [1, 502]] == [
        [line["attempts"], line["status"]] for line in (each.fast.lines[-1] for each in (early, late, long))
    ]


def test_request_behind_a_response_that_began_before_the_end_was_announced_is_served() -> None:
    """The response was handed over in its middle, and then closed the connection, which its head had not said."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = Response((head + b"2\r\nok\r\n", b"2;a\r\nok\r\n", b"0\r\n\r\n"), held=True)
    compared = played(get(1, 1), Deliver(), AnnounceEnd(), Deliver(), get(1), Deliver(), r1=chunks)
    assert [200, 200, 200] == statuses(compared)


def test_many_short_fields_of_a_response_are_too_large_both_ways() -> None:
    """llhttp counts them without the blank that most have. What the fast way had begun could not be handed over."""
    head = b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 105 + b"content-length: 4\r\n\r\n"
    compared = played(get(1, 1), Deliver(), Pass(400.0), tight=True, r1=Response((head + b"ab", b"cd"), held=True))
    assert [200, 502] == statuses(compared)


def test_host_before_the_request_line_is_no_head() -> None:
    """The fast way had put Host behind the request line, wherever it stood, before it looked which line that was."""
    head = b"Host: gw.example\r\nGET /plain HTTP/1.1\r\nuser-agent: a\r\napi-key: caller-key-good\r\n\r\n"
    compared = played(get(1), Send(1, head))
    assert [200, 200, 400] == statuses(compared)


def test_destination_of_a_request_that_was_held_is_drawn_once() -> None:
    """Its first half had drawn a number, which was lost when a tick gave it to the general way."""
    head = b"POST /weighted HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-good\r\ncontent-length: 2\r\n\r\n"
    world = World(only=("plain", "weighted"))
    for seed in range(8):
        events = (Connect(1), Connect(2), get(1), Send(1, head), get(2, path=b"/weighted"))
        assert () == compare(Conversation(events, world, {}, seed=seed)).differences
