"""A caller that ends its side of the connection: it gets the answers that it still waits for, unless it has gone."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.proxy.io.bench import (
    OK,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    providing,
    routed,
    run,
    serving,
    settle,
    silent,
)

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Held:
    """An upstream that answers once it may."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    def __call__(self, provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                await self.go_on.wait()
                writer.write(OK)

        return script


async def known(bench: Bench) -> None:
    """Wait until the gateway has seen that the caller has ended its side."""
    await settle(lambda: any(each._half_close is not None for each in bench.connections))


@asynccontextmanager
async def half_closed(request: bytes) -> AsyncIterator[tuple[Bench, Caller, Held]]:
    """A caller that has sent a request and its end, to an upstream that does not answer yet."""
    held = Held()
    async with providing(held) as provider, serving() as bench:
        await bench.apply(config(provider.port))
        caller = await bench.connect()
        await caller.send(request)
        caller.end_requests()
        await known(bench)
        yield bench, caller, held


def test_caller_that_sends_no_more_gets_its_response_and_the_connections_end() -> None:
    async def scenario() -> None:
        for request in (GET, POST):
            async with half_closed(request) as (bench, caller, held):
                held.go_on.set()
                answer = await caller.rest()
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                assert answer.endswith(b"connection: close\r\n\r\nok")
                await settle(lambda: not bench.connections)

    run(scenario())


def test_request_and_end_in_one_piece_are_answered() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            caller.writer.write(GET)
            caller.end_requests()
            assert (await caller.rest()).endswith(b"\r\n\r\nok")

    run(scenario())


def test_early_requests_are_answered_too() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            caller.writer.write(GET * 11 + POST)
            caller.end_requests()
            assert (await caller.rest()).count(b"HTTP/1.1 200 OK\r\n") == 12
            assert len(provider.received) == 12
            await settle(lambda: not bench.connections)

    run(scenario())


def test_early_requests_that_are_answered_in_turns_are_answered_all() -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(config(1, listeners=routed()))
            caller = await bench.connect()
            caller.writer.write(GET * 12)
            caller.end_requests()
            assert (await caller.rest()).count(b"HTTP/1.1 404 Not Found\r\n") == 12

    run(scenario())


def test_half_a_request_behind_a_whole_one_ends_the_connection() -> None:
    async def scenario() -> None:
        for half in (GET[:-2], POST[:-1]):
            async with providing(answering(OK)) as provider, serving() as bench:
                await bench.apply(config(provider.port))
                caller = await bench.connect()
                caller.writer.write(GET + half)
                caller.end_requests()
                assert (await caller.rest()).count(b"HTTP/1.1") == 1
                await settle(lambda: not bench.connections)

    run(scenario())


def test_end_within_a_request_or_without_one_ends_the_connection() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            for begun in (b"", GET[:-2], POST[:-1]):
                caller = await bench.connect()
                caller.writer.write(begun)
                caller.end_requests()
                assert await caller.rest() == b""
                await settle(lambda: not bench.connections)

    run(scenario())


def test_half_an_empty_line_behind_a_response_ends_the_connection() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET + b"\r")
            await caller.response()
            caller.end_requests()
            assert await caller.rest() == b""
            await settle(lambda: not bench.connections)

    run(scenario())


def test_long_response_reaches_a_caller_that_sends_no_more_whole() -> None:
    async def scenario() -> None:
        body = b"x" * 4_000_000
        long = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 4000000\r\n\r\n" + body)
        async with providing(long) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            caller.writer.write(GET)
            caller.end_requests()
            assert (await caller.rest()).endswith(b"\r\n\r\n" + body)

    run(scenario())


def test_caller_that_waits_is_asked_after_a_second_and_answered_all_the_same() -> None:
    async def scenario() -> None:
        async with half_closed(GET) as (bench, caller, held):
            for seconds in (0.5, 0.5, 5.0, 10.0):
                bench.pass_time(seconds)
            held.go_on.set()
            answer = await caller.rest()
            assert answer.startswith(CONTINUE * 2 + b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nok")

    run(scenario())


def test_caller_that_is_answered_within_a_second_is_not_asked() -> None:
    async def scenario() -> None:
        async with half_closed(GET) as (bench, caller, held):
            bench.pass_time(0.9)
            held.go_on.set()
            assert (await caller.rest()).startswith(b"HTTP/1.1 200 OK\r\n")

    run(scenario())


def test_caller_of_http_1_0_is_not_asked() -> None:
    async def scenario() -> None:
        async with half_closed(GET.replace(b"1.1", b"1.0")) as (bench, caller, held):
            bench.pass_time(2)
            held.go_on.set()
            assert (await caller.rest()).startswith(b"HTTP/1.1 200 OK\r\n")

    run(scenario())


def test_nobody_is_asked_in_the_middle_of_a_response() -> None:
    async def scenario() -> None:
        begun = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"
        async with providing(answering(begun)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert await caller.head()
            caller.end_requests()
            await known(bench)
            bench.pass_time(2)
            bench.connections[0].drain()
            bench.gateway.cut()
            assert CONTINUE not in await caller.rest()

    run(scenario())


def test_caller_that_leaves_a_stream_is_found_out_by_what_follows_of_it() -> None:
    async def scenario() -> None:
        go_on, left = asyncio.Event(), asyncio.Event()

        def streaming(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
                await go_on.wait()
                writer.write(b"2\r\nok\r\n")
                await reader.read()
                left.set()

            return script

        async with providing(streaming) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert (await caller.reader.readuntil(b"ok\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            caller.close()
            await known(bench)
            transport = bench.connections[0].transport
            assert transport is not None
            assert transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            bench.pass_time(2)
            assert len(bench.connections) == 1
            go_on.set()
            await bench.abandoned()
            await left.wait()

    run(scenario())


def test_caller_that_has_gone_is_found_out_and_its_request_ends() -> None:
    async def scenario() -> None:
        left = asyncio.Event()

        def waiting(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                await reader.read()
                left.set()

            return script

        async with providing(waiting) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: len(provider.received) == 1)
            caller.close()
            await known(bench)
            bench.pass_time(1)
            await asyncio.sleep(0.05)  # the reset of another machine has no event here
            bench.pass_time(0)
            await left.wait()
            assert bench.connections == ()
            bench.log.flush()
            await settle(lambda: bool(bench.lines))
            entry = json.loads(bench.lines[0])
            assert (499, "caller_gone") == (entry["status"], entry["reason"])

    run(scenario())
