"""Requests through a real gateway: what reaches the provider and what comes back."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
    Provider,
    Script,
    answering,
    config,
    guarded,
    open_route,
    providing,
    reading_body,
    routed,
    run,
    serving,
    settle,
)
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.settings import Limits, ProxySettings


def test_a_request_reaches_the_provider_and_its_response_the_caller() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            assert await bench.apply(config(provider.port)) == ()
            caller = await bench.connect()
            await caller.send(b"GET /a/b?c=d HTTP/1.1\r\nHost: h:1\r\nX-Request-Id: r1\r\nConnection: close\r\n\r\n")
            status, head, body = await caller.response()
            assert (status, body) == (200, b"ok")
            assert b"content-type: text/plain\r\n" in head
            assert b"connection: close\r\n" in head
            assert await caller.rest() == b""
            sent = b"GET /a/b?c=d HTTP/1.1\r\nhost: h:1\r\nx-request-id: r1\r\ncdn-loop: %b\r\n\r\n"
            assert provider.received == [sent % LoopMark("").after(())[1]]

    run(scenario())


def test_a_caller_without_a_request_id_gets_one() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nX_Request_Id: mine\r\nConnection: close\r\n\r\n")
            assert b"x-request-id: " in provider.received[0]
            assert b"x_request_id" not in provider.received[0]

    run(scenario())


def test_requests_on_one_connection_are_answered_in_order_over_one_upstream_connection() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(
                b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
                b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n\r\n"
                b"GET /3 HTTP/1.1\r\nHost: h\r\n\r\n"
            )
            for _ in range(3):
                assert (await caller.response())[0] == 200
            assert [head.split(b" ")[1] for head in provider.received] == [b"/1", b"/2", b"/3"]
            assert provider.connections == 1
            caller.close()

    run(scenario())


def test_a_request_may_arrive_byte_by_byte() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for byte in b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc":
                await caller.send(bytes([byte]))
                await asyncio.sleep(0)
            assert (await caller.response())[0] == 200
            assert provider.bodies == [b"abc"]
            caller.close()

    run(scenario())


def test_a_body_with_a_length_is_streamed_with_its_length() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            body = b"x" * 300_000
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + body)
            assert (await caller.response())[0] == 200
            assert b"content-length: 300000\r\n" in provider.received[0]
            assert provider.bodies == [body]
            caller.close()

    run(scenario())


def test_a_chunked_body_is_streamed_in_chunks() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            await settle(lambda: len(provider.received) == 1)
            await caller.send(b"2\r\nde\r\n0\r\nTrailer: gone\r\n\r\n")
            assert (await caller.response())[0] == 200
            assert provider.bodies == [b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"]
            caller.close()

    run(scenario())


def test_a_post_without_a_body_says_so_to_the_provider() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert b"content-length: 0\r\n" in provider.received[0]

    run(scenario())


def test_a_plan_that_reads_the_body_replaces_it_and_its_length() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(reading_body(provider.port))
            caller = await bench.connect()
            await caller.send(
                b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
            )
            assert (await caller.response())[0] == 200
            assert b"content-length: 6\r\n" in provider.received[0]
            assert provider.bodies == [b"abcabc"]
            caller.close()

    run(scenario())


def test_a_head_request_gets_the_length_and_no_body() -> None:
    async def scenario() -> None:
        head_only = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
        async with providing(answering(head_only)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert b"content-length: 5\r\n" in await caller.head()
            assert provider.connections == 1
            caller.close()

    run(scenario())


@pytest.mark.parametrize(
    "response", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n"]
)
def test_a_response_without_a_body_has_no_framing(response: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(response)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                head = await caller.head()
                assert b"chunked" not in head
                assert b"content-length" not in head
            caller.close()

    run(scenario())


def test_a_chunked_response_stays_chunked_and_streams() -> None:
    def streaming(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            await writer.drain()
            await provider.read_request(reader)  # the caller has seen the first piece, or this never comes

        return script

    async def scenario() -> None:
        async with providing(streaming) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert b"transfer-encoding: chunked\r\n" in await caller.head()
            assert await caller.reader.readexactly(10) == b"5\r\nfirst\r\n"
            caller.close()

    run(scenario())


def test_a_response_that_ends_with_its_connection_is_whole() -> None:
    def closing(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")

        return script

    async def scenario() -> None:
        async with providing(closing) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert answer.endswith(b"\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n")
            old = await bench.exchange(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n")
            assert b"chunked" not in old
            assert old.endswith(b"\r\n\r\nuntil the end")

    run(scenario())


def test_trailers_and_hop_by_hop_headers_of_a_response_are_dropped() -> None:
    response = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: keep-alive, x-inner\r\nx-inner: 1\r\n"
        b"x_inner: 2\r\ntransfer_encoding: identity\r\ncontent_length: 7\r\n"
        b"keep-alive: 5\r\n\r\n2\r\nok\r\n0\r\nset-cookie: a=b\r\n\r\n"
    )

    async def scenario() -> None:
        async with providing(answering(response)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            for gone in (
                b"x-inner",
                b"x_inner",
                b"keep-alive",
                b"set-cookie",
                b"transfer_encoding",
                b"content_length",
            ):
                assert gone not in answer

    run(scenario())


def test_a_caller_that_waits_for_a_sign_gets_it_only_once_it_is_let_in() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
            refused = await bench.exchange(post + b"\r\n")
            assert refused.startswith(b"HTTP/1.1 401 ")
            caller = await bench.connect()
            await caller.send(post + b"api-key: mysecretkey\r\n\r\n")
            assert await caller.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await caller.send(b"abc")
            assert (await caller.response())[0] == 200
            assert provider.bodies == [b"abc"]
            assert b"expect" not in provider.received[0].lower()
            caller.close()

    run(scenario())


def test_a_refused_caller_keeps_its_connection() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            await caller.send(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
            status, head, body = await caller.response()
            assert (status, body) == (401, b"")
            assert b"www-authenticate: API key is missing or invalid\r\n" in head
            assert b"content-length: 0\r\n" in head
            await caller.send(b"GET /y HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\n\r\n")
            assert (await caller.response())[0] == 200
            assert provider.bodies == [b""]
            caller.close()

    run(scenario())


def test_a_refused_caller_with_much_left_to_send_can_still_read_why() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n" + b"x" * 200_000)
            head = await caller.head()
            assert head.startswith(b"HTTP/1.1 401 ")
            assert b"connection: close\r\n" in head
            assert provider.received == []
            caller.close()

    run(scenario())


def test_the_provider_gets_the_token_and_never_the_callers_key() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            await bench.exchange(
                b"GET / HTTP/1.1\r\nHost: h\r\napi-key: mysecretkey\r\nx-api-key: spoofed\r\n"
                b"x-user-id: root\r\nconnection: close\r\n\r\n"
            )
            assert b"x-api-key: hf_provider_token\r\n" in provider.received[0]
            for gone in (b"mysecretkey", b"spoofed", b"x-user-id"):
                assert gone not in provider.received[0]

    run(scenario())


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505),
        (b"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
        (b"DeLeTe / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET not-a-target HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a: b\r\n" * 300 + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ],
)
def test_what_can_not_be_read_is_refused_and_the_connection_ends(request_bytes: bytes, status: int) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(request_bytes)
            assert answer.startswith(b"HTTP/1.1 %d " % status)
            assert answer.count(b"HTTP/1.1 ") == 1
            assert b'{"error":' in answer

    run(scenario())


def test_what_follows_an_unreadable_request_is_not_served() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(b"GET / HTTP/9.9\r\nHost: h\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
            assert answer.count(b"HTTP/1.1 ") == 1
            assert provider.received == []

    run(scenario())


SMALL = ProxySettings(admin="", limits=Limits(body_bytes=10, buffered_bytes=12))


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 11\r\n\r\n12345678901", b"Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n"],
)
def test_a_body_that_a_plan_reads_has_a_limit(body: bytes) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(SMALL) as bench:
            await bench.apply(reading_body(provider.port))
            answer = await bench.exchange(b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + body)
            assert answer.startswith(b"HTTP/1.1 413 ")
            assert provider.received == []

    run(scenario())


def test_a_body_that_streams_has_no_limit() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(SMALL) as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(
                b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 11\r\n\r\n12345678901"
            )
            assert provider.bodies == [b"12345678901"]

    run(scenario())


def test_the_budget_of_all_buffered_bodies_is_kept_and_given_back() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(SMALL) as bench:
            await bench.apply(reading_body(provider.port))
            first = await bench.connect()
            await first.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n1234567")
            await settle(lambda: bench.buffered == 7)
            second = await bench.exchange(
                b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 6\r\n\r\n123456"
            )
            assert second.startswith(b"HTTP/1.1 503 ")
            await first.send(b"8")
            assert (await first.response())[0] == 200
            assert bench.buffered == 0
            first.close()

    run(scenario())


def test_a_connection_whose_listener_is_gone_ends_with_its_next_request() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await caller.response())[0] == 200
            await bench.apply(config(provider.port, listeners=()))
            await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await caller.rest()).startswith(b"HTTP/1.1 404 ")

    run(scenario())


def test_a_request_finishes_on_the_config_it_started_with() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as old, providing(answering(OK)) as new, serving() as bench:
            await bench.apply(config(old.port))
            caller = await bench.connect()
            await caller.send(b"POST /old HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
            await settle(lambda: len(old.received) == 1)
            await bench.apply(config(new.port))
            await caller.send(b"cd")
            assert (await caller.response())[0] == 200
            assert old.bodies == [b"abcd"]
            await caller.send(b"GET /new HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await caller.response())[0] == 200
            assert len(new.received) == 1
            caller.close()

    run(scenario())


def test_the_log_names_the_key_and_shows_neither_query_nor_secret() -> None:
    async def scenario() -> list[bytes]:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            await bench.exchange(
                b"GET /p?key=querysecret HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nConnection: close\r\n\r\n"
            )
            await bench.exchange(b"GET /p HTTP/1.1\r\nHost: h\r\nApi-Key: wrongkey\r\nConnection: close\r\n\r\n")
            await bench.exchange(
                b"GET /bot/mysecretkey HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\n"
                b"X-Request-Id: mysecretkey\r\nConnection: close\r\n\r\n"
            )
        return bench.lines

    log = b"".join(run(scenario()))
    assert b'"key":"default/api-huggingface-key"' in log
    assert b'"path":"/p"' in log
    assert b'"path":"/bot/<redacted>"' in log
    assert b'"reason":"key_unknown"' in log
    for secret in (b"querysecret", b"mysecretkey", b"hf_provider_token", b"wrongkey"):
        assert secret not in log


def test_requests_are_counted_by_route_status_and_reason() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port))
            await bench.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            taken = bench.counters.take()
            assert taken["requests"] == [["main", "lab", "", "", 401, "key_missing", 1]]
            assert (taken["in_flight"]) == 0

    run(scenario())


def test_response_that_outlasts_the_draining_is_cut_off_and_leaves_its_line_in_the_log() -> None:
    async def scenario() -> None:
        half = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")
        async with providing(half) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
            await caller.head()
            bench.gateway.cut()
            await settle(lambda: not bench.connections)
        (line,) = map(json.loads, b"".join(bench.lines).splitlines())
        assert (line["path"], line["status"], line["reason"]) == ("/slow", 200, "shutting_down")
        assert 0 == bench.counters.in_flight

    run(scenario())


def test_a_route_may_be_closed() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port, listeners=routed(open_route(auth="missing"))))
            answer = await bench.exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert provider.received == []

    run(scenario())
