"""Who may ask for another protocol, and what proves that it has begun."""

from __future__ import annotations

import pytest

from wardgate.ir import Upstream
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.http1.upgrades import Upgrade, upgrade_of, with_fields
from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.core.upstream.destinations import CompiledUpstream

# The example of RFC 6455, 1.3.
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
PROOF = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

WEBSOCKET = (
    b"GET /v1/realtime HTTP/1.1",
    b"Host: h",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: " + KEY,
    b"Sec-WebSocket-Version: 13",
)


def asked(*lines: bytes, body: bytes | None = None, method: bytes = b"", allowed: bytes = b"websocket,chess") -> object:
    """The protocol that goes upstream for a request of these lines, sent on as it came."""
    head = parse_request_head(b"\r\n".join((*lines, b"", b"")), max_headers=20)
    assert isinstance(head, RequestHead), head
    outgoing = Outgoing(method or head.method, b"/", head.headers, body, CompiledUpstream(Upstream("u", ())))
    return upgrade_of(head, outgoing, allowed=frozenset(allowed.split(b",")))


def changed(line: bytes, into: bytes) -> tuple[bytes, ...]:
    return tuple(into if each.startswith(line) else each for each in WEBSOCKET)


def test_websocket_is_asked_for_with_the_proof_that_its_key_calls_for() -> None:
    assert Upgrade(b"websocket", PROOF) == asked(*WEBSOCKET)


@pytest.mark.parametrize(
    ("line", "into"),
    [
        (b"Upgrade", b"Upgrade: WebSocket"),
        (b"Upgrade", b"Upgrade: h2c, websocket"),
        (b"Upgrade", b"Upgrade: draughts\r\nUpgrade: websocket"),
        (b"Connection", b"Connection: keep-alive, UPGRADE"),
        (b"Connection", b"Connection: HTTP2-Settings\r\nConnection: Upgrade"),
    ],
)
def test_what_is_merely_unusual_is_asked_for_all_the_same(line: bytes, into: bytes) -> None:
    assert Upgrade(b"websocket", PROOF) == asked(*changed(line, into))


@pytest.mark.parametrize(
    ("line", "into"),
    [
        (b"GET", b"GET /v1/realtime HTTP/1.0"),
        (b"GET", b"POST /v1/realtime HTTP/1.1"),
        (b"GET", b"HEAD /v1/realtime HTTP/1.1"),
        (b"Connection", b"Connection: keep-alive"),
        (b"Connection", b"X: y"),
        (b"Upgrade", b"X: y"),
        (b"Upgrade", b"Upgrade: h2c"),
        (b"Upgrade", b"Upgrade: websocket/13"),
        (b"Upgrade", b"Upgrade_: websocket"),
        (b"Host", b"Host: h\r\nContent-Length: 1"),
        (b"Host", b"Host: h\r\nTransfer-Encoding: chunked"),
        (b"Sec-WebSocket-Key", b"X: y"),
        (b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: short"),
        (b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: " + KEY + b"\r\nSec-WebSocket-Key: " + KEY),
        (b"Sec-WebSocket-Key", b"Sec-WebSocket-Key: " + KEY + b"\r\nSec_WebSocket_Key: " + KEY),
    ],
)
def test_request_that_cannot_be_an_upgrade_is_an_ordinary_one(line: bytes, into: bytes) -> None:
    assert asked(*changed(line, into)) is None


def test_plan_that_makes_another_request_of_it_makes_an_ordinary_one() -> None:
    assert (None, None) == (asked(*WEBSOCKET, method=b"POST"), asked(*WEBSOCKET, body=b"x"))


def test_only_what_the_installation_allows_is_asked_for() -> None:
    assert asked(*WEBSOCKET, allowed=b"chess") is None
    assert Upgrade(b"chess", b"") == asked(*changed(b"Upgrade", b"Upgrade: Chess"), allowed=b"chess")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [([PROOF], True), ([], False), ([b"x"], False), ([PROOF, PROOF], False), ([PROOF.lower()], False)],
)
def test_websocket_has_begun_once_its_key_was_read(accept: list[bytes], *, expected: bool) -> None:
    headers = [(b"sec-websocket-accept", value) for value in accept]
    assert expected is Upgrade(b"websocket", PROOF).has_begun(headers, {b"upgrade": [b"WebSocket"]})


def test_lines_of_the_hop_stand_at_the_end_of_a_head() -> None:
    fields = Upgrade(b"websocket", PROOF).fields
    expected = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    assert expected == with_fields(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n", fields)
