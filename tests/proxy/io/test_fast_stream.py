"""Plain requests on warm connections: the fast path carries them, and hands over whatever is not plain."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    KEY,
    OK,
    TOKEN,
    Bench,
    Caller,
    Provider,
    answering,
    guarded,
    providing,
    run,
    serving,
    settle,
)
from wardgate.proxy.core.fast_path.lane import Lane
from wardgate.proxy.io.downstream.fast_stream import FastStream
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.tasks import spawn

GET = b"GET /v1/models HTTP/1.1\r\nHost: gw\r\nAccept: */*\r\napi-key: " + KEY.encode() + b"\r\n\r\n"
POST = GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nhello")
HEAD_OF_OK = OK.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


@dataclass
class Warm:
    """A gateway whose connection to the provider has carried a request, and a caller on it."""

    bench: Bench
    provider: Provider
    caller: Caller

    @property
    def prepared(self) -> int:
        """Requests that took the fast path."""
        return self.bench.counters.prepared

    async def ask(self, request: bytes = GET) -> tuple[int, bytes, bytes]:
        await self.caller.send(request)
        return await self.caller.response()

    def entries(self) -> list[dict[str, object]]:
        """Lines of the access log."""
        self.bench.log.close()
        return [json.loads(line) for line in b"".join(self.bench.lines).splitlines()]


@asynccontextmanager
async def warm(provider: Provider, settings: ProxySettings | None = None) -> AsyncIterator[Warm]:
    async with serving(settings) as bench:
        await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
        one = Warm(bench, provider, await bench.connect())
        assert 200 == (await one.ask())[0]
        assert 0 == one.prepared
        yield one


def answers(*responses: bytes | tuple[bytes, ...]) -> Callable[[Provider], Callable[..., Awaitable[None]]]:
    """Answer with ``OK`` first, then with each of these: whole, or in pieces that arrive one by one."""

    def make(provider: Provider) -> Callable[..., Awaitable[None]]:
        left = iter((OK, *responses))

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                response = next(left)
                for piece in (response,) if isinstance(response, bytes) else response:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)

        return script

    return make


def test_a_plain_request_takes_the_fast_path_and_the_upstream_sees_what_it_saw_before() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            for request in (GET, POST, GET):
                assert (
                    200,
                    HEAD_OF_OK.replace(b"content-length: 2\r\n", b"")[:-2] + b"content-length: 2\r\n\r\n",
                    b"ok",
                ) == (await one.ask(request))
            assert 3 == one.prepared
            first, second, _, third = (_but_the_id(head) for head in provider.received)
            assert first == second == third
            assert b"hello" == provider.bodies[2]
            assert all(TOKEN.encode() in head and KEY.encode() not in head for head in provider.received)
            assert len({head.split(b"x-request-id: ")[1][:32] for head in provider.received}) == 4

    run(test())


def _but_the_id(head: bytes) -> bytes:
    before, _, after = head.partition(b"x-request-id: ")
    return before + after[32:]


def test_without_memory_there_is_no_fast_path() -> None:
    async def test() -> None:
        settings = ProxySettings(admin="", limits=Limits(remembered_lines=0))
        async with providing(answering(OK)) as provider, warm(provider, settings) as one:
            assert 200 == (await one.ask())[0]
            assert 0 == one.prepared

    run(test())


def test_the_log_tells_the_same_on_both_ways() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await one.ask()
            general, fast = one.entries()
            assert 1 == one.prepared
            assert general.keys() == fast.keys()
            varying = ("request_id",)
            assert {**general, **dict.fromkeys(varying)} == {**fast, **dict.fromkeys(varying)}

    run(test())


def test_a_revoked_key_is_refused_at_once() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            assert 200 == (await one.ask())[0]
            await one.bench.apply(guarded(provider.port))
            assert 401 == (await one.ask())[0]
            await one.bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            assert 200 == (await one.ask())[0]
            assert 3 == one.prepared

    run(test())


def test_an_expired_key_is_refused_at_the_second_of_its_expiry() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            expiring = replace(CREDENTIAL, expires_at=int(one.bench.clock()) + 10)
            await one.bench.apply(guarded(provider.port, credentials=(expiring,)))
            assert 200 == (await one.ask())[0]
            one.bench.clock.pass_time(9.5)
            assert 200 == (await one.ask())[0]
            one.bench.clock.pass_time(0.5)
            assert 401 == (await one.ask())[0]
            assert 2 == one.prepared

    run(test())


def test_a_request_without_a_good_key_is_refused_on_the_fast_path() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            for request in (POST.replace(KEY.encode(), b"wrong"), GET.replace(b"api-key", b"x-key")):
                status, head, _ = await one.ask(request)
                assert (401, False) == (status, b"connection: close" in head)
            assert 200 == (await one.ask())[0]
            assert (3, 2) == (one.prepared, len(provider.received))
            assert ["", "key_unknown", "key_missing", ""] == [entry["reason"] for entry in one.entries()]

    run(test())


def test_a_response_in_pieces_is_passed_on_as_it_comes() -> None:
    async def test() -> None:
        pieces = (b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nab", b"cd", b"ef")
        async with providing(answers(pieces, OK)) as provider, warm(provider) as one:
            assert (200, b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n", b"abcdef") == await one.ask()
            assert 200 == (await one.ask())[0]
            assert 2 == one.prepared
            assert [0, 6, 2] == [0, *(entry["sent_bytes"] for entry in one.entries()[1:])]

    run(test())


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKED_ANSWERS = {
    "whole chunks": ((CHUNKED + b"2\r\nab\r\n", b"2\r\ncd\r\n0\r\n\r\n"), b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 2),
    "chunks that come at once": ((CHUNKED + b"1\r\na\r\n3\r\nbcd\r\n0\r\n\r\n",), b"4\r\nabcd\r\n0\r\n\r\n", 2),
    "a head alone": ((CHUNKED, b"4\r\nabcd\r\n0\r\n\r\n"), b"4\r\nabcd\r\n0\r\n\r\n", 2),
    "a chunk in pieces": ((CHUNKED + b"4\r\nab", b"cd\r\n0\r\n\r\n"), b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 2),
    "a size in pieces": (
        (CHUNKED + b"2\r\nab\r\n", b"2", b"\r\ncd\r\n0\r\n\r\n"),
        b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
        1,
    ),
    "an end in pieces": ((CHUNKED + b"4\r\nabcd\r", b"\n0\r\n\r\n"), b"4\r\nabcd\r\n0\r\n\r\n", 1),
    "a chunk in pieces and its end": (
        (CHUNKED + b"4\r\nab", b"cd", b"\r\n0\r\n\r\n"),
        b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
        1,
    ),
    "an extension": ((CHUNKED + b"4;a=b\r\nabcd\r\n0\r\n\r\n",), b"4\r\nabcd\r\n0\r\n\r\n", 1),
    "a trailer": ((CHUNKED + b"4\r\nabcd\r\n", b"0\r\na: b\r\n\r\n"), b"4\r\nabcd\r\n0\r\n\r\n", 1),
}


@pytest.mark.parametrize(
    ("pieces", "expected", "prepared"),
    CHUNKED_ANSWERS.values(),
    ids=[name.replace(" ", "-") for name in CHUNKED_ANSWERS],
)
def test_a_response_in_chunks_is_passed_on_or_handed_over(
    pieces: tuple[bytes, ...], expected: bytes, prepared: int
) -> None:
    async def test() -> None:
        async with providing(answers(pieces, OK)) as provider, warm(provider) as one:
            await one.caller.send(GET)
            assert b"transfer-encoding: chunked" in await one.caller.head()
            assert expected == await one.caller.reader.readuntil(b"0\r\n\r\n")
            assert 200 == (await one.ask())[0]
            assert (prepared, 1) == (one.prepared, provider.connections)
            assert 4 == one.entries()[1]["sent_bytes"]

    run(test())


def test_half_a_response_whose_rest_is_no_part_of_it_is_handed_over_in_the_middle() -> None:
    async def test() -> None:
        pieces = (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab", b"cdHTTP/1.1 200 OK\r\n")
        async with providing(answers(pieces, OK)) as provider, warm(provider) as one:
            assert (200, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", b"abcd") == await one.ask()
            assert 200 == (await one.ask())[0]
            assert 2 == provider.connections

    run(test())


def test_an_upstream_that_closes_an_idle_connection_costs_a_get_nothing() -> None:
    async def test() -> None:
        def closing_after_one(provider: Provider) -> Callable[..., Awaitable[None]]:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(OK)
                if provider.connections == 1:
                    await reader.readexactly(1)
                else:
                    await reader.read()

            return script

        async with providing(closing_after_one) as provider, warm(provider) as one:
            assert 200 == (await one.ask())[0]
            assert 2 == provider.connections
            assert 0 == one.prepared

    run(test())


def test_an_upstream_that_breaks_off_cuts_the_caller_off() -> None:
    async def test() -> None:
        def breaking(provider: Provider) -> Callable[..., Awaitable[None]]:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(OK)
                await provider.read_request(reader)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
                await writer.drain()

            return script

        async with providing(breaking) as provider, warm(provider) as one:
            await one.caller.send(POST)
            assert b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" == await one.caller.head()
            assert b"ab" == (await one.caller.rest()).removesuffix(b"<reset>")
            await settle(lambda: not one.bench.connections)
            (_, entry) = one.entries()
            assert (200, "upstream_reset", 5, 2) == tuple(
                entry[name] for name in ("status", "reason", "received_bytes", "sent_bytes")
            )

    run(test())


def test_an_upstream_that_says_nothing_times_out() -> None:
    async def test() -> None:
        async with providing(answers((b"",))) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await settle(lambda: len(provider.received) == 2)
            one.bench.pass_time(one.bench.gateway.context.timeouts.response_head)
            assert 504 == (await one.caller.response())[0]

    run(test())


def test_a_request_of_a_key_that_is_revoked_meanwhile_is_cut_off_after_the_grace() -> None:
    async def test() -> None:
        async with providing(answers((b"",))) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await settle(lambda: len(provider.received) == 2)
            await one.bench.apply(guarded(provider.port))
            one.bench.pass_time(1)
            one.bench.pass_time(one.bench.gateway.context.timeouts.revoked_grace)
            assert b"" == (await one.caller.rest()).removesuffix(b"<reset>")
            await settle(lambda: not one.bench.connections)
            assert "key_revoked" == one.entries()[-1]["reason"]

    run(test())


def test_a_caller_that_leaves_is_logged_and_its_connection_to_the_upstream_closed() -> None:
    async def test() -> None:
        async with providing(answers((b"",))) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await settle(lambda: len(provider.received) == 2)
            one.caller.close()
            await one.bench.abandoned()
            assert (499, "caller_gone") == tuple(one.entries()[-1][name] for name in ("status", "reason"))

    run(test())


def test_a_request_in_flight_is_finished_before_a_worker_ends() -> None:
    async def test() -> None:
        async with providing(answers((b"", OK))) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await settle(lambda: one.bench.counters.in_flight == 1)
            one.bench.gateway.announce_end()  # before the answer can have come
            draining = spawn(one.bench.gateway.drain(), name="drain")
            status, head, _ = await one.caller.response()
            assert 200 == status
            assert b"connection: close\r\n" in head
            await draining

    run(test())


async def _in_pieces(one: Warm, *pieces: bytes) -> None:
    for piece in pieces:
        await one.caller.send(piece)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("at", [len(POST) - 5, len(POST) - 1])
def test_a_request_whose_body_comes_behind_its_head_leaves_in_one_piece(at: int) -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:at])
            assert 1 == len(provider.received)
            await _in_pieces(one, POST[at:])
            assert 200 == (await one.caller.response())[0]
            assert (1, b"hello") == (one.prepared, provider.bodies[1])

    run(test())


def test_a_body_that_takes_its_time_streams_from_the_next_tick_on() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:-3])
            one.bench.pass_time(0.25)
            assert 1 == one.bench.counters.in_flight
            await _in_pieces(one, POST[-3:])
            assert 200 == (await one.caller.response())[0]
            assert (0, b"hello") == (one.prepared, provider.bodies[1])

    run(test())


def test_a_body_that_never_comes_times_out() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:-3])
            one.bench.pass_time(0.25)
            one.bench.pass_time(one.bench.gateway.context.timeouts.body)
            assert 408 == (await one.caller.response())[0]

    run(test())


def test_a_key_that_is_revoked_before_the_body_came_is_refused() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:-3])
            await one.bench.apply(guarded(provider.port))
            await _in_pieces(one, POST[-3:])
            assert 401 == (await one.caller.response())[0]

    run(test())


def test_a_caller_that_leaves_before_its_body_came_is_logged() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:-3])
            one.caller.writer.transport.abort()
            await settle(lambda: not one.bench.connections)
            assert 499 == one.entries()[-1]["status"]

    run(test())


def test_more_than_the_body_is_the_next_request() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await _in_pieces(one, POST[:-3], POST[-3:] + GET)
            assert [200, 200] == [(await one.caller.response())[0] for _ in range(2)]
            assert [b"", b"hello", b""] == provider.bodies

    run(test())


def test_early_requests_are_answered_in_their_order() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await one.caller.send(POST + GET)
            assert [200, 200, 200] == [(await one.caller.response())[0] for _ in range(3)]
            assert [b"", b"", b"hello", b""] == provider.bodies

    run(test())


def test_a_caller_of_a_plain_request_that_sends_no_more_gets_its_response() -> None:
    async def test() -> None:
        async with providing(answers((b"", OK))) as provider, warm(provider) as one:
            await one.caller.send(GET)
            await settle(lambda: len(provider.received) == 2)
            assert 1 == one.prepared + 1
            one.caller.end_requests()
            answer = await one.caller.rest()
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nok")

    run(test())


def test_informational_responses_to_a_plain_request_reach_the_caller() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"

    async def test() -> None:
        async with providing(answers((early, early + OK), OK)) as provider, warm(provider) as one:
            await one.caller.send(GET)
            assert [early, early] == [await one.caller.head() for _ in range(2)]
            assert (200, b"ok") == (await one.caller.response())[::2]
            assert (200, b"ok") == (await one.ask())[::2]

    run(test())


@pytest.mark.parametrize("field", [b"TE: trailers", b"Connection: upgrade\r\nUpgrade: websocket", b"Trailer: x"])
def test_a_request_that_asks_for_more_than_an_answer_is_not_plain(field: bytes) -> None:
    async def test() -> None:
        async with providing(answers(OK)) as provider, warm(provider) as one:
            assert 200 == (await one.ask(GET.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n")))[0]
            assert 0 == one.prepared

    run(test())


def test_another_key_among_subprotocols_is_taken_off_a_request_that_is_plain_but_for_that() -> None:
    other = replace(CREDENTIAL, digest=sha256(b"another-key").hexdigest(), name="another")

    async def test() -> None:
        async with providing(answers(OK)) as provider, warm(provider) as one:
            await one.bench.apply(guarded(provider.port, credentials=(CREDENTIAL, other)))
            field = b"\r\nSec-WebSocket-Protocol: realtime, openai-insecure-api-key.another-key\r\n\r\n"
            assert 200 == (await one.ask(GET.replace(b"\r\n\r\n", field)))[0]
            assert b"\r\nsec-websocket-protocol: realtime\r\n" in provider.received[-1]

    run(test())


def test_a_connection_that_waits_for_a_request_keeps_no_table_alive() -> None:
    async def test() -> None:
        async with providing(answering(OK)) as provider, warm(provider) as one:
            assert 200 == (await one.ask())[0]
            table = one.bench.gateway.context.config.table
            assert table is not None
            await one.bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            other = await one.bench.connect()
            await other.send(GET)
            assert 200 == (await other.response())[0]
            gc.collect()
            assert [] == [holder for holder in gc.get_referrers(table) if isinstance(holder, Lane | FastStream)]

    run(test())
