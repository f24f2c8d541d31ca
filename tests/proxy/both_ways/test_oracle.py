"""The oracle itself: it is silent where the ways agree, and tells each kind of difference where they do not."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from tests.proxy.both_ways.conversations import conversation
from tests.proxy.both_ways.events import Apply, Connect, Conversation, Deliver, Pass, Response, Send
from tests.proxy.both_ways.marks import callers_in, mark, marks_in
from tests.proxy.both_ways.oracle import Comparison, compare
from tests.proxy.both_ways.origins import RequestReader
from tests.proxy.both_ways.shrinking import shrunk
from tests.proxy.both_ways.stage import Stage
from tests.proxy.both_ways.worlds import World

GET = b"GET /plain HTTP/1.1\r\nHost: gw.example\r\napi-key: caller-key-good\r\nx-mark: " + mark(1, 1) + b"\r\n\r\n"
STRAY = Response((b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n" + mark(2, 1),))


def talk(*events: object, **changes: object) -> Conversation:
    return replace(Conversation((Connect(1), *events), World()), **changes)  # type: ignore[arg-type]


def differing(*events: object, **limits: int) -> Comparison:
    return compare(talk(*events), fast=limits)


def test_two_equal_gateways_do_not_differ() -> None:
    compared = compare(talk(Send(1, GET), Send(1, GET), Pass(1.0)))
    assert compared.differences == ()
    assert [200, 200] == [line["status"] for line in compared.general.lines]


def test_difference_in_bytes_is_told_with_its_event() -> None:
    told = differing(Send(1, GET), header_count=1).differences
    assert f"Step 2: {Send(1, GET)}" in told[0]
    assert "c1.0, after 9 bytes that are the same:" in told[0]
    assert "general: b'HTTP/1.1 200 OK" in told[0]
    assert "fast:    b'HTTP/1.1 431 " in told[0]


def test_difference_in_ends_of_connections_is_told() -> None:
    assert "ends, fast:    ['c1.0 eof']" in differing(Send(1, GET), header_count=1).differences[0]


def test_difference_in_log_and_counters_is_told() -> None:
    told = differing(Send(1, GET), header_count=1).differences
    assert ["Line 0 of the access log:", "Counters:"] == [each.splitlines()[0] for each in told[1:]]


def test_connection_that_one_way_alone_keeps_is_told() -> None:
    assert "ends, fast:    ['u0 203.0.113.1:443 aborted']" in differing(Send(1, GET), pool_idle=0).differences[0]


def test_requests_of_a_conversation_are_made_alike_both_times() -> None:
    """Weights, and whatever else is chosen at random, fall the same way."""
    weighted = GET.replace(b"/plain", b"/weighted")
    assert compare(talk(*[Send(1, weighted)] * 8, seed=3)).differences == ()


def test_byte_of_another_caller_is_a_fault() -> None:
    told = Stage(talk(Send(1, GET), responses={mark(1, 1): STRAY}), {}).play().faults
    assert ["c1.0 got bytes of the callers {2}"] == [fault.partition(":")[0] for fault in told]


def test_broken_mark_is_none() -> None:
    assert [mark(3, 5)] == marks_in(b"fz3x5x1z" + mark(3, 5) + b" fz30x5x" + mark(3, 5)[-4:])
    assert {3} == callers_in(mark(3, 5) + mark(2, 1).replace(b"x", b"0x", 1))


def test_upstream_request_of_two_callers_is_a_fault() -> None:
    told = Stage(talk(Send(1, GET.replace(b"x-mark: ", b"x-mark: " + mark(2, 1)))), {}).play().faults
    assert ["u0 203.0.113.1:443 got one request with bytes of several callers"] == [
        fault.partition(": b'")[0] for fault in told
    ]


def test_conversation_is_cut_down_to_what_differs() -> None:
    long = talk(Pass(1.0), Send(1, GET), Deliver(), Apply(World(token="new")), Send(1, GET), Deliver())
    least = shrunk(long, lambda one: Send(1, GET) in one.events and Connect(1) in one.events)
    assert (Connect(1), Send(1, GET)) == least.events


@pytest.mark.parametrize("seed", range(3))
def test_conversation_of_a_seed_is_always_the_same(seed: int) -> None:
    assert conversation(Random(seed)) == conversation(Random(seed))


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: h\r\nhost: i\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\na: b\nc: d\r\n\r\n",
        b"GET / x HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: h\r\na_b: c\rd\r\n\r\n",
    ],
)
def test_head_that_can_be_read_in_two_ways_is_a_fault(head: bytes) -> None:
    reader = RequestReader()
    reader.feed(head)
    assert 1 == len(reader.faults)


def test_upstreams_read_what_the_gateway_writes() -> None:
    reader = RequestReader()
    first = b"POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
    second = b"POST /b HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\n"
    wire = first + b"2\r\nab\r\n1\r\nc\r\n0\r\nx: y\r\n\r\n" + second + b"hi"
    found = [each for at in range(len(wire)) for each in reader.feed(wire[at : at + 1])]
    assert [("head", first, b""), ("end", first, b"abc"), ("head", second, b""), ("end", second, b"hi")] == found
    assert [] == reader.faults
