"""Which trailer fields go on, in either direction, and who takes any."""

from __future__ import annotations

import pytest

from tests.proxy.core.conversation import (
    KEY,
    Talk,
    auth_plan,
    config,
    credential,
    key_step,
    open_route,
    post_plan,
    request,
    route,
)
from wardgate.ir import GatewayConfig, HeaderTemplate, MessageTemplate, MetadataHeader
from wardgate.proxy.core.http1.chunked import ChunkedDecoder, ChunkedError
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.http1.trailers import last_chunk, request_trailers, response_trailers, takes_trailers
from wardgate.proxy.core.messages import HeaderList

K = KEY.decode()
GOOD: HeaderList = [(b"x-checksum", b"abc"), (b"server-timing", b"db;dur=1"), (b"content-digest", b"sha-256=:x:")]


def passed(*trailers: tuple[str, str], served: GatewayConfig | None = None) -> list[tuple[str, str]]:
    """The trailers that go upstream behind a request with the key."""
    guarded = config(route(), auth_plans=(auth_plan(),), credentials=(credential(),))
    talk = Talk(served or guarded, request("POST", "/", ("api-key", KEY)))
    assert talk.outgoing.body is None
    given = [(name.encode(), value.encode()) for name, value in trailers]
    return [(name.decode(), value.decode()) for name, value in request_trailers(given, talk.exchange.request)]


# -- who takes any


@pytest.mark.parametrize(
    ("version", "fields", "expected"),
    [
        (b"1.1", b"TE: trailers\r\n", True),
        (b"1.1", b"TE: Trailers\r\nConnection: TE\r\n", True),
        (b"1.1", b"TE: deflate;q=0.5, trailers\r\n", True),
        (b"1.1", b"TE: deflate\r\nTE: trailers\r\n", True),
        (b"1.1", b"TE: deflate\r\n", False),
        (b"1.1", b"TE:\r\n", False),
        (b"1.1", b"T_E: trailers\r\n", False),
        (b"1.1", b"", False),
        (b"1.0", b"TE: trailers\r\n", False),
    ],
)
def test_caller_takes_trailers_that_says_so(version: bytes, fields: bytes, *, expected: bool) -> None:
    head = parse_request_head(b"GET / HTTP/" + version + b"\r\nHost: h\r\n" + fields + b"\r\n", max_headers=9)
    assert isinstance(head, RequestHead)
    assert expected is takes_trailers(head)


# -- which of them

FORBIDDEN = [
    *("content-length", "transfer-encoding", "connection", "te", "trailer", "upgrade", "keep-alive", "expect", "host"),
    *("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "set-cookie", "www-authenticate"),
    *("cdn-loop", "proxy", "x-forwarded-for", "x-forwarded-host", "forwarded", "via", "x-real-ip", "max-forwards"),
    *("x-http-method-override", "x-original-url", "x-rewrite-url", "content-type", "content-encoding"),
    *("content-range", "range", "if-match", "cache-control", "location", "x-request-id", "x-user-id", "traceparent"),
    *("wardgate-error-source", "access-control-allow-origin", "sec-websocket-accept"),
]


@pytest.mark.parametrize("name", [*FORBIDDEN, *(name.replace("-", "_") for name in FORBIDDEN if "-" in name)])
def test_field_that_is_obeyed_goes_on_in_no_spelling(name: str) -> None:
    assert [] == response_trailers([(name.encode(), b"1")])
    assert [] == passed((name, "1"))


def test_fields_that_wait_for_the_end_of_a_body_go_on() -> None:
    assert GOOD == response_trailers([*GOOD, (b"set-cookie", b"a=b"), (b"x-bad", b"a\x0bb"), (b"x bad", b"a")])
    assert [("x-checksum", "abc")] == passed(("x-checksum", "abc"))


def test_trailers_that_hold_the_key_end_here() -> None:
    given = [("x-a", K), ("x-b", f"Bearer {K}"), ("x-c", f"key={K}; x"), ("x-d", K + "x"), ("x-e", "y")]
    assert [("x-d", K + "x"), ("x-e", "y")] == passed(*given)


def test_trailers_that_the_policy_reads_or_sets_end_here() -> None:
    step = key_step(header="x-lab", metadata_headers=(MetadataHeader("x-lab-token", "token"),))
    guarded = config(route(), auth_plans=(auth_plan(step),), credentials=(credential(),))
    talk = Talk(guarded, request("POST", "/", ("x-lab", KEY)))
    assert talk.outgoing.body is None
    given = [(b"x-lab", b"1"), (b"x_lab", b"1"), (b"x-lab-token", b"1"), (b"x_lab_token", b"1"), (b"x-y", b"1")]
    assert [(b"x-y", b"1")] == request_trailers(given, talk.exchange.request)


def test_no_trailers_go_past_a_plan_that_transforms_the_request() -> None:
    plan = post_plan(request=MessageTemplate(headers=(HeaderTemplate("x-a", "b"),)))
    transformed = config(open_route(transformations=("t",)), transformations=(plan,))
    assert [] == passed(("x-checksum", "abc"), served=transformed)
    assert [("x-checksum", "abc")] == passed(("x-checksum", "abc"), served=config(open_route()))


def test_no_trailers_go_before_a_request_is_on_its_way() -> None:
    assert [] == request_trailers(GOOD, request("POST", "/"))


# -- as bytes


def test_trailers_are_written_behind_the_last_chunk() -> None:
    assert b"0\r\n\r\n" == last_chunk([])
    assert b"0\r\nx-a: b\r\nx-c: \r\n\r\n" == last_chunk([(b"x-a", b"b"), (b"x-c", b"")])


def test_trailers_are_read_as_headers_are() -> None:
    decoder = ChunkedDecoder()
    wire = b"1\r\nx\r\n0\r\nX-A:  b \r\nx-a:\tc\t\r\nX_B:\r\n\r\nGET"
    body = b"".join(decoder.feed(wire[at : at + 1]) for at in range(len(wire) - 3))
    assert (b"x", [(b"x-a", b"b"), (b"x-a", b"c"), (b"x_b", b"")]) == (body, decoder.trailers)


@pytest.mark.parametrize("trailer", [b"a b: c", b": c", b" a: b", b"a : b", b"a", b"a: b\x00", b"a: b\rc", b"x" * 8193])
def test_trailer_that_is_no_field_breaks_the_body(trailer: bytes) -> None:
    with pytest.raises(ChunkedError):
        ChunkedDecoder().feed(b"0\r\n" + trailer + b"\r\n\r\n")
