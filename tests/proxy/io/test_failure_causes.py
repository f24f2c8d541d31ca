"""Each way for an upstream to fail has its own reason, in the log, the metrics and the answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.proxy.io.bench import OK, Bench, Provider, Script, answering, config, providing, run, serving, settle, silent
from wardgate.ir import Endpoint, Upstream
from wardgate.proxy.settings import ProxySettings, Timeouts

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
SETTINGS = ProxySettings(
    admin="",
    timeouts=Timeouts(connect=0.05, response_head=50.0, response_idle=20.0, stream_idle=30.0, request=100.0),
)


def beginning(head: bytes) -> Callable[[Provider], Script]:
    """Send a head and a piece of the body, and no more."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(head + b"\r\n\r\n1\r\nx\r\n")
            await reader.read()

        return script

    return make


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: "


def hanging_up(provider: Provider) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await provider.read_request(reader)

    return script


async def told(bench: Bench) -> tuple[str, str]:
    """The reason of the last request, in the log and in the metrics."""
    bench.log.flush()
    await settle(lambda: bool(bench.lines))
    errors = bench.counters.take()["upstream_errors"]
    assert isinstance(errors, list)
    ((_, reason, count),) = errors
    assert 1 == count
    return json.loads(bench.lines[-1])["reason"], reason


@pytest.mark.parametrize(
    ("script", "reason", "status", "after"),
    [
        (hanging_up, "upstream_reset", b"502", 0.0),
        (answering(b"garbage\r\n\r\n"), "upstream_broken", b"502", 0.0),
        (silent, "upstream_timeout", b"504", 51.0),
    ],
)
def test_failure_before_an_answer(
    script: Callable[[Provider], Script], reason: str, status: bytes, after: float
) -> None:
    async def scenario() -> None:
        async with providing(script) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: len(provider.received) == 1)
            bench.pass_time(after)
            answer = await caller.rest()
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert b"\r\nwardgate-error-source: gateway\r\n" in answer
            assert (reason, reason) == await told(bench)

    run(scenario())


@pytest.mark.parametrize(
    ("media", "bearable"), [(b"application/json", 19.0), (b"text/event-stream", 29.0), (b"application/x-ndjson", 29.0)]
)
def test_response_that_stops_in_the_middle(media: bytes, bearable: float) -> None:
    async def scenario() -> None:
        async with providing(beginning(CHUNKED + media)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            await caller.reader.readexactly(6)
            bench.pass_time(bearable)
            assert 1 == bench.counters.in_flight
            bench.pass_time(2.0)
            assert await caller.rest() in (b"", b"<reset>")
            assert ("upstream_stalled", "upstream_stalled") == await told(bench)

    run(scenario())


def test_stream_that_moves_lasts_however_long() -> None:
    async def scenario() -> None:
        pieces: asyncio.Queue[None] = asyncio.Queue()

        def moving(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(CHUNKED + b"text/event-stream\r\n\r\n")
                while True:
                    await pieces.get()
                    writer.write(b"1\r\nx\r\n")

            return script

        async with providing(moving) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            for _ in range(20):
                pieces.put_nowait(None)
                await caller.reader.readexactly(6)
                bench.pass_time(25.0)
            assert 1 == bench.counters.in_flight

    run(scenario())


def test_request_that_takes_too_long_in_all() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, timeouts=replace(SETTINGS.timeouts, response_head=1000.0))
        async with providing(silent) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await settle(lambda: len(provider.received) == 1)
            bench.pass_time(99.0)
            assert 1 == bench.counters.in_flight
            bench.pass_time(1.0)
            assert (await caller.rest()).startswith(b"HTTP/1.1 504 ")
            assert ("exchange_timeout", "exchange_timeout") == await told(bench)

    run(scenario())


def test_connection_that_is_not_made_in_time() -> None:
    async def never(host: str, port: int) -> tuple[str, ...]:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> None:
        async with serving(SETTINGS, lookup=never) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("slow.example", 80),)),)))
            assert (await bench.exchange(GET)).startswith(b"HTTP/1.1 504 ")
            assert ("upstream_connect_timeout", "upstream_connect_timeout") == await told(bench)

    run(scenario())


def test_answer_of_the_provider_is_no_gateways() -> None:
    lying = OK.replace(b"200 OK\r\n", b"503 No\r\nWardgate-Error-Source: gateway\r\n")

    async def scenario() -> None:
        async with providing(answering(lying)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"error-source" not in answer.lower()

    run(scenario())
