"""How messages are delimited on the wire."""

from __future__ import annotations

import pytest

from wardgate.ir import Endpoint, Upstream
from wardgate.proxy.core.http1.framing import (
    Framing,
    chunk,
    is_bodiless,
    request_length,
    response_framing,
    write_request_head,
    write_response_head,
)
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.core.upstream.destinations import CompiledUpstream


def test_a_request_with_a_length() -> None:
    head = write_request_head(method=b"POST", target=b"/x?y", headers=[(b"host", b"h")], length=3, chunked=False)
    assert head == b"POST /x?y HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n"


def test_a_request_that_streams() -> None:
    head = write_request_head(method=b"POST", target=b"/", headers=[], length=None, chunked=True)
    assert head == b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_request_without_a_body() -> None:
    head = write_request_head(method=b"GET", target=b"/", headers=[], length=None, chunked=False)
    assert head == b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    "name",
    [
        b"content-length",
        b"content_length",
        b"transfer-encoding",
        b"transfer_encoding",
        b"connection",
        b"te",
        b"upgrade",
        b"expect",
        b"trailer",
    ],
)
def test_a_template_can_not_set_framing(name: bytes) -> None:
    request = write_request_head(method=b"GET", target=b"/", headers=[(name, b"7")], length=None, chunked=False)
    assert request == b"GET / HTTP/1.1\r\n\r\n"
    response = write_response_head(status=200, headers=[(name, b"7")], length=0, chunked=False, close=False)
    assert response == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def test_a_response_that_closes() -> None:
    head = write_response_head(status=401, headers=((b"a", b"b"),), length=0, chunked=False, close=True)
    assert head == b"HTTP/1.1 401 Unauthorized\r\na: b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def test_a_response_that_streams_with_a_status_nobody_named() -> None:
    head = write_response_head(status=299, headers=[], length=None, chunked=True, close=False)
    assert head == b"HTTP/1.1 299 \r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_chunk_is_delimited_by_its_size_in_hexadecimal() -> None:
    assert chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"


@pytest.mark.parametrize(
    ("status", "head_request", "expected"),
    [(200, False, False), (200, True, True), (204, False, True), (304, False, True), (103, False, True)],
)
def test_which_responses_have_no_body(status: int, *, head_request: bool, expected: bool) -> None:
    assert is_bodiless(status=status, head_request=head_request) is expected


@pytest.mark.parametrize(
    ("status", "length", "asked", "expected"),
    [
        (200, 5, "GET", (Framing.LENGTH, 5)),
        (200, 0, "GET", (Framing.LENGTH, 0)),
        (200, None, "GET", (Framing.CHUNKED, None)),
        (200, None, "GET by HTTP/1.0", (Framing.UNTIL_CLOSE, None)),
        (200, 5, "GET by HTTP/1.0", (Framing.LENGTH, 5)),
        (200, 5, "HEAD", (Framing.NO_BODY, 5)),
        (200, None, "HEAD", (Framing.NO_BODY, None)),
        (200, None, "HEAD by HTTP/1.0", (Framing.NO_BODY, None)),
        (304, 5, "GET", (Framing.NO_BODY, 5)),
        (304, None, "GET", (Framing.NO_BODY, None)),
        (204, 5, "GET", (Framing.NO_BODY, None)),
        (204, 5, "HEAD", (Framing.NO_BODY, 5)),
    ],
)
def test_response_is_delimited_by_what_its_caller_can_read(
    status: int, length: int | None, asked: str, expected: tuple[Framing, int | None]
) -> None:
    assert expected == response_framing(
        status, length=length, head_request=asked.startswith("HEAD"), http_1_0=asked.endswith("1.0")
    )


@pytest.mark.parametrize(
    ("method", "field", "body", "expected"),
    [
        (b"GET", b"A: b", None, None),
        (b"POST", b"A: b", None, 0),
        (b"POST", b"Content-Length: 0", None, 0),
        (b"GET", b"Content-Length: 0", None, 0),
        (b"POST", b"Content-Length: 5", None, 5),
        (b"POST", b"Transfer-Encoding: chunked", None, None),
        (b"POST", b"Transfer-Encoding: chunked", b"new", 3),
        (b"POST", b"Content-Length: 5", b"new", 3),
        (b"POST", b"Content-Length: 5", b"", 0),
        (b"PATCH", b"Content-Length: 5", b"", 0),
        (b"DELETE", b"Content-Length: 5", b"", None),
    ],
)
def test_request_tells_the_length_of_what_is_sent(
    method: bytes, field: bytes, body: bytes | None, expected: int | None
) -> None:
    head = parse_request_head(method + b" / HTTP/1.1\r\nHost: h\r\n" + field + b"\r\n\r\n", max_headers=9)
    assert isinstance(head, RequestHead)
    upstream = CompiledUpstream(Upstream("u", (Endpoint("h", 80),)))
    assert expected == request_length(Outgoing(method, b"/", [], body, upstream), head)
