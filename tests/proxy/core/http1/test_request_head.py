"""The strict reading of a request's head: what two readers could understand differently is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.reasons import ReplyReason


def read(*lines: bytes, max_headers: int = 100) -> RequestHead | ReplyReason:
    return parse_request_head(b"\r\n".join((*lines, b"", b"")), max_headers=max_headers)


def accepted(*lines: bytes) -> RequestHead:
    head = read(*lines)
    assert isinstance(head, RequestHead), head
    return head


def test_names_are_lower_case_and_values_lose_outer_blanks() -> None:
    head = accepted(b"GET /a?b=c HTTP/1.1", b"Host: h", b"X-Thing: \t a b \t", b"Empty:")
    assert head.headers == [(b"x-thing", b"a b"), (b"empty", b"")]
    assert (head.method, head.target, head.host) == (b"GET", b"/a?b=c", b"h")


def test_a_request_without_length_has_no_body() -> None:
    head = accepted(b"POST / HTTP/1.1", b"Host: h")
    assert (head.content_length, head.chunked, head.has_body) == (None, False, False)


def test_a_length_of_zero_is_no_body() -> None:
    assert accepted(b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 0").has_body is False


def test_a_length_is_read() -> None:
    head = accepted(b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 12")
    assert (head.content_length, head.has_body) == (12, True)


def test_a_chunked_body_is_noticed() -> None:
    head = accepted(b"POST / HTTP/1.1", b"Host: h", b"Transfer-Encoding: Chunked")
    assert (head.content_length, head.chunked, head.has_body) == (None, True, True)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ((b"GET  / HTTP/1.1", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET /", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET / HTTP/1.1 ", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET /\x00 HTTP/1.1", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET /\xc3\xa9 HTTP/1.1", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"G@T / HTTP/1.1", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET / http/1.1", b"Host: h"), ReplyReason.BAD_REQUEST_LINE),
        ((b"GET / HTTP/2.0", b"Host: h"), ReplyReason.HTTP_VERSION),
        ((b"GET / HTTP/0.9", b"Host: h"), ReplyReason.HTTP_VERSION),
        ((b"GET / HTTP/1.2", b"Host: h"), ReplyReason.HTTP_VERSION),
        ((b"TRACE / HTTP/1.1", b"Host: h"), ReplyReason.METHOD_NOT_ALLOWED),
        ((b"CONNECT h:443 HTTP/1.1", b"Host: h"), ReplyReason.METHOD_NOT_ALLOWED),
        ((b"trace / HTTP/1.1", b"Host: h"), ReplyReason.METHOD_CASE),
        ((b"delete / HTTP/1.1", b"Host: h"), ReplyReason.METHOD_CASE),
        ((b"DeLeTe / HTTP/1.1", b"Host: h"), ReplyReason.METHOD_CASE),
        ((b"PURGe / HTTP/1.1", b"Host: h"), ReplyReason.METHOD_CASE),
        ((b"GET / HTTP/1.1", b"Host: h", b"Bad Name: x"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b"Name : x"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b": x"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b"A: x", b" folded"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b"A: x\x00y"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b"A: x\ry"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1", b"Host: h", b"A: x\nB: y"), ReplyReason.BAD_HEADER),
        ((b"GET / HTTP/1.1",), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host:"), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host: a", b"Host: a"), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host: a b"), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host: user@h"), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host: h/path"), ReplyReason.BAD_HOST),
        ((b"GET / HTTP/1.1", b"Host: h:123456"), ReplyReason.BAD_HOST),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 1", b"Content-Length: 1"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 1, 1"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: +1"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 0x1"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: " + b"9" * 19), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length:"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Content-Length: 1", b"Transfer-Encoding: chunked"),
         ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Transfer-Encoding: chunked", b"TE: x", b"Transfer-Encoding: a"),
         ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.0", b"Host: h", b"Transfer-Encoding: chunked"), ReplyReason.BAD_FRAMING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Transfer-Encoding: gzip, chunked"), ReplyReason.TRANSFER_CODING),
        ((b"POST / HTTP/1.1", b"Host: h", b"Transfer-Encoding: \x0bchunked"), ReplyReason.BAD_HEADER),
        ((b"POST / HTTP/1.1", b"Host: h", b"Expect: 200-ok"), ReplyReason.EXPECTATION_FAILED),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(lines: tuple[bytes, ...], reason: ReplyReason) -> None:
    assert read(*lines) == reason


def test_a_head_with_bare_line_feeds_is_refused() -> None:
    assert parse_request_head(b"GET / HTTP/1.1\nHost: h\n\r\n\r\n", max_headers=9) == ReplyReason.BAD_REQUEST_LINE


def test_too_many_headers_are_refused() -> None:
    assert read(b"GET / HTTP/1.1", b"Host: h", b"A: 1", b"B: 2", max_headers=2) == ReplyReason.TOO_MANY_HEADERS


def test_hop_by_hop_headers_end_here_with_those_that_connection_names() -> None:
    head = accepted(
        b"GET / HTTP/1.1", b"Host: h", b"Connection: close, X-Private", b"X-Private: 1", b"Upgrade: h2c",
        b"TE: trailers", b"Keep-Alive: 5", b"Proxy-Connection: x", b"Trailer: x", b"HTTP2-Settings: x", b"Kept: 1",
    )  # fmt: skip
    assert head.headers == [(b"kept", b"1")]


@pytest.mark.parametrize(
    ("version", "connection", "expected"),
    [
        (b"1.1", None, True),
        (b"1.1", b"close", False),
        (b"1.1", b"Keep-Alive, CLOSE", False),
        (b"1.0", None, False),
        (b"1.0", b"keep-alive", False),
    ],
)
def test_the_connection_persists_as_the_version_and_the_caller_say(
    version: bytes, connection: bytes | None, *, expected: bool
) -> None:
    lines = [b"GET / HTTP/" + version, b"Host: h"]
    if connection is not None:
        lines.append(b"Connection: " + connection)
    assert accepted(*lines).keep_alive is expected


def test_http_1_0_needs_a_host_too() -> None:
    assert read(b"GET / HTTP/1.0") == ReplyReason.BAD_HOST
    assert accepted(b"GET / HTTP/1.0", b"Host: h").http_1_0 is True


def test_a_sign_to_continue_is_only_for_http_1_1() -> None:
    lines = (b"Host: h", b"Content-Length: 5", b"Expect: 100-Continue")
    assert accepted(b"POST / HTTP/1.1", *lines).expect_continue is True
    assert accepted(b"POST / HTTP/1.0", *lines).expect_continue is False


@pytest.mark.parametrize("host", [b"h:80", b"[::1]:80", b"[2001:db8::1]", b"a-b.c_d~e"])
def test_hosts_with_ports_and_addresses_are_taken(host: bytes) -> None:
    assert accepted(b"GET / HTTP/1.1", b"Host: " + host).host == host


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    assert isinstance(parse_request_head(data + b"\r\n\r\n", max_headers=10), RequestHead | ReplyReason)


@given(
    st.lists(st.sampled_from([b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Content-Length: 3,3"]), min_size=2)
)
def test_two_framing_headers_are_never_taken(lines: list[bytes]) -> None:
    assert read(b"POST / HTTP/1.1", b"Host: h", *lines) == ReplyReason.BAD_FRAMING
