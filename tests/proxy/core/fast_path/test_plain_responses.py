"""A plain response reaches the caller byte for byte as llhttp's reading of it would; all else is left to llhttp."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.fast_path.line_memory import LineMemory
from wardgate.proxy.core.fast_path.plain_responses import PlainResponses
from wardgate.proxy.core.http1.framing import write_response_head
from wardgate.proxy.core.http1.response_reader import BODY, IDLE, ResponseReader
from wardgate.proxy.core.messages import Incoming


def response(*lines: bytes, start: bytes = b"HTTP/1.1 200 OK", body: bytes = b"ok") -> bytes:
    return b"\r\n".join((start, *lines, b"", body))


class Both:
    def __init__(self, *, head_bytes: int = 4096) -> None:
        self.memory = LineMemory(16)
        self.plain = PlainResponses(self.memory, head_bytes=head_bytes)
        self.head_bytes = head_bytes

    def fast(self, data: bytes) -> tuple[bytes, bytes] | None:
        """The head for the caller, and what came of the body; None: it is not plain."""
        read = self.plain.read(data)
        return None if read is None or len(data) - read.at > read.length else (read.head, data[read.at :])

    def general(self, data: bytes) -> tuple[bytes, bytes] | None:
        """The same by llhttp; None: it is no response that another may follow."""
        reader = ResponseReader(max_head=self.head_bytes, max_informational=3)
        reader.begin(head_request=False)
        arrived = reader.receive(data)
        if reader.state not in (IDLE, BODY) or reader.length is None:
            return None
        (incoming,) = [each for each in arrived if isinstance(each, Incoming)]
        body = b"".join(each for each in arrived if isinstance(each, bytes))
        head = write_response_head(
            status=incoming.status, headers=incoming.headers, length=reader.length, chunked=False, close=False
        )
        return head, body


PLAIN = (
    response(b"Content-Length: 2"),
    response(
        b"content-length:2", b"Content-Type: application/json", b"Connection: keep-alive", b"Keep-Alive: timeout=5"
    ),
    response(b"Set-Cookie: a=b", b"Set-Cookie: c=d", b"Content-Length: 2", b"X-Request-Id: 12"),
    response(b"Content-Length: 0", body=b""),
    response(b"Content-Length: 10"),
    response(b"Content-Length: 2", start=b"HTTP/1.1 404 Not Here"),
    response(b"Content-Length: 2", start=b"HTTP/1.1 599 "),
)


@pytest.mark.parametrize("data", PLAIN)
def test_a_plain_response_reaches_the_caller_as_llhttp_reads_it(data: bytes) -> None:
    both = Both()
    expected = both.general(data)
    assert expected is not None
    assert [expected] * 3 == [both.fast(data) for _ in range(3)]


NOT_PLAIN = {
    "half a head": response(b"Content-Length: 2")[:-4],
    "more than its body": response(b"Content-Length: 1"),
    "no length": response(),
    "two lengths": response(b"Content-Length: 2", b"Content-Length: 2"),
    "a length that is none": response(b"Content-Length: 2 2"),
    "a signed length": response(b"Content-Length: +2"),
    "chunks": response(b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunks beside a length": response(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    "close": response(b"Content-Length: 2", b"Connection: close"),
    "Upgrade": response(b"Content-Length: 2", b"Upgrade: h2c"),
    "an informational response": response(start=b"HTTP/1.1 103 Early Hints", body=b""),
    "204": response(b"Content-Length: 0", start=b"HTTP/1.1 204 No Content", body=b""),
    "304": response(b"Content-Length: 2", start=b"HTTP/1.1 304 Not Modified", body=b""),
    "HTTP/1.0": response(b"Content-Length: 2", start=b"HTTP/1.0 200 OK"),
    "a long phrase": response(b"Content-Length: 2", start=b"HTTP/1.1 200 " + b"a" * 65),
    "no phrase": response(b"Content-Length: 2", start=b"HTTP/1.1 200"),
    "a byte beyond ASCII": response(b"Content-Length: 2", b"x: \xe9"),
    "a tab": response(b"Content-Length: 2", b"x: a\tb"),
    "a folded line": response(b"Content-Length: 2", b"x: a\r\n b"),
    "a bare LF": response(b"Content-Length: 2\nx: a"),
    "a blank before the colon": response(b"Content-Length : 2"),
    "the gateway's own word": response(b"Content-Length: 2", b"wardgate-error-source: gateway"),
    "the same in another spelling": response(b"Content-Length: 2", b"wardgate_error_source: gateway"),
    "too long a head": response(b"Content-Length: 2", b"x: " + b"a" * 5000),
}


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN.keys())
def test_whatever_is_not_plain_is_left_to_llhttp(data: bytes) -> None:
    both = Both()
    for known in PLAIN * 3:
        both.fast(known)
    assert [None, None] == [both.fast(data), both.fast(data)]


LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 2",
            b"content-length:  2 ",
            b"Content-Length: 0",
            b"Content-Type: a/b",
            b"Server: x",
            b"A:",
            b"Connection: keep-alive",
            b"Connection: close",
            b"Transfer-Encoding: chunked",
            b"Trailer: x",
            b"X: \xff",
            b"Set-Cookie: a",
            b"A : b",
            b" folded",
            b"Keep-Alive: timeout=1",
            b"Upgrade: a",
            b"content_length: 3",
        ]
    ),
    max_size=6,
)
STARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 500 Oh",
        b"HTTP/1.1 204 None",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 100 Go",
        b"HTTP/1.1  200 OK",
    ]
)


@given(st.lists(st.tuples(STARTS, LINES, st.sampled_from([b"", b"o", b"ok", b"ok!"])), min_size=1, max_size=5))
def test_both_ways_read_the_same_or_the_fast_one_nothing(responses: list[tuple[bytes, list[bytes], bytes]]) -> None:
    both = Both()
    for start, lines, body in responses * 3:
        data = response(*lines, start=start, body=body)
        assert both.fast(data) in (None, both.general(data))


def test_lines_that_may_hold_a_secret_are_not_remembered() -> None:
    both = Both()
    for _ in range(3):
        both.fast(response(b"Content-Length: 2", b"Set-Cookie: session=1", b"X-Token: 2", b"Content-Type: a/b"))
    known = both.memory.of("response")
    assert [b"Content-Type: a/b"] == list(known.lines)
    (mould,) = known.moulds
    assert [b"HTTP/1.1 200 OK\r\n", b"", b"", b"Content-Type: a/b\r\n"] == [run for run, _, _ in mould.parts]
    assert [b"Content-Length: ", b"Set-Cookie: ", b"X-Token: "] == [gap.prefix for _, _, gap in mould.parts if gap]


def test_what_is_remembered_is_bounded() -> None:
    both = Both()
    for number in range(100):
        for _ in range(2):
            both.fast(response(b"Content-Length: 2", b"Server: %d" % number, start=b"HTTP/1.1 200 %d" % number))
        assert 0 < both.memory.remembered <= 16
        known = both.memory.of("response")
        assert both.memory.remembered == len(known.lines) + sum(mould.lines for mould in known.moulds)


def test_a_phrase_that_differs_each_time_makes_no_moulds() -> None:
    """They are all upstreams' together."""
    both = Both()
    for number in range(20):
        assert both.fast(response(b"Content-Length: 2", start=b"HTTP/1.1 200 %d" % number)) is not None
    assert [] == both.memory.of("response").moulds


def test_a_head_of_the_longest_size_is_counted_alike_once_it_is_known() -> None:
    data = response(b"Content-Length: 2", b"Server: a")
    size = data.index(b"\r\n\r\n") + len(data.split(b"\r\n\r\n")[0].split(b"\r\n"))
    fitting, short = Both(head_bytes=size), Both(head_bytes=size)
    assert [True] * 4 == [fitting.fast(data) is not None for _ in range(4)]
    for _ in range(3):
        assert short.fast(data.replace(b"Length: 2", b"Length: 1")[:-1]) is not None
    assert short.fast(data.replace(b"Length: 2", b"Length: 0002")[:-2]) is None
