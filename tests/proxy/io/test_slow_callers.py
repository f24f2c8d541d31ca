"""Callers that send or read too slowly are cut off before what they occupy is missed; slow streams are not."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from tests.proxy.io.bench import (
    OK,
    PORT,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    open_route,
    providing,
    reading_body,
    routed,
    run,
    serving,
    settle,
    silent,
)
from wardgate.ir import GatewayConfig, HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.io.downstream.connection import Downstream
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.tasks import spawn

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"


def arrived(bench: Bench) -> int:
    """Bytes of bodies that have arrived of the requests in flight."""
    return sum(each._stream._body.received for each in bench.connections if each._stream is not None)


async def send_piece(bench: Bench, caller: Caller, piece: bytes, *, then_pass: float) -> None:
    before = arrived(bench)
    await caller.send(piece)
    await settle(lambda: arrived(bench) == before + len(piece))
    bench.pass_time(then_pass)


async def status_of(caller: Caller) -> int:
    return (await caller.response())[0]


def test_bodies_that_drip_give_the_upstream_connections_back() -> None:
    settings = ProxySettings(admin="", limits=Limits(upstream_connections=4, caller_share=100))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            attackers = [await bench.connect() for _ in range(4)]
            for attacker in attackers:
                await attacker.send(POST)
            await settle(lambda: provider.connections == 4)
            innocent = await bench.connect()
            await innocent.send(GET)
            await settle(lambda: bench.counters.in_flight == 5)
            bench.pass_time(5.0)
            assert await status_of(innocent) == 503
            for _ in range(3):
                for attacker in attackers:
                    await send_piece(bench, attacker, b"x", then_pass=0.0)
                bench.pass_time(21.0)
            assert await asyncio.gather(*map(status_of, attackers)) == [408] * 4
            await innocent.send(GET)
            assert await status_of(innocent) == 200

    run(scenario())


def test_body_that_drips_under_a_busy_response_is_cut_off() -> None:
    def talking(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
            while await reader.read(1):
                writer.write(b"1\r\ny\r\n")

        return script

    async def scenario() -> None:
        async with providing(talking) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(POST)
            await caller.head()
            for _ in range(3):
                await send_piece(bench, caller, b"x", then_pass=0.0)
                await caller.reader.readuntil(b"y\r\n")
                bench.pass_time(21.0)
            assert b"0\r\n\r\n" not in await caller.rest()
            assert not bench.connections

    run(scenario())


def test_collected_body_has_a_total_time() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(reading_body(provider.port))
            caller = await bench.connect()
            await caller.send(POST)
            for _ in range(6):
                await send_piece(bench, caller, b"x" * 15_000, then_pass=50.0)
            assert await status_of(caller) == 408
            assert bench.buffered == 0

    run(scenario())


def test_long_upload_at_a_modest_rate_passes() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(POST)
            for _ in range(99):
                await send_piece(bench, caller, b"x" * 1000, then_pass=4.0)
            await caller.send(b"x" * 1000)
            assert await status_of(caller) == 200

    run(scenario())


def test_events_may_be_minutes_apart() -> None:
    events = asyncio.Event()

    def dreaming(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(3):
                await events.wait()
                events.clear()
                writer.write(b"9\r\ndata: x\n\n\r\n")
            writer.write(b"0\r\n\r\n")
            await reader.read()

        return script

    async def scenario() -> None:
        async with providing(dreaming) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            for _ in range(3):
                bench.pass_time(280.0)
                events.set()
                assert await caller.reader.readuntil(b"\n\n\r\n") == b"9\r\ndata: x\n\n\r\n"
            assert await caller.reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"

    run(scenario())


def sending(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size


async def connect_narrowly(bench: Bench, *, buffer: int = 4096) -> Caller:
    """Connect with a receive buffer that is soon full."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", bench.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    caller = Caller(reader, writer)
    bench.callers.append(caller)
    return caller


def reading_responses(served: GatewayConfig) -> GatewayConfig:
    measured = (HeaderTemplate("x-read", "{{ isString(body()) }}"),)
    plan = TransformationPlan("p", "post", response=MessageTemplate(headers=measured, parse_body="DontParse"))
    return replace(served, listeners=routed(open_route(transformations=("p",))), transformations=(plan,))


def is_paused(bench: Bench) -> bool:
    return all(each._stream is not None and each._stream.request_paused for each in bench.connections)


def is_blocked(bench: Bench) -> bool:
    return all(each._write_paused for each in bench.connections)


@pytest.mark.parametrize("collected", [False, True])
def test_caller_that_reads_a_few_bytes_a_minute_is_cut_off(*, collected: bool) -> None:
    """Where its response was collected, the upstream's connection is free, and memory is occupied instead."""
    size = 9_000_000

    async def scenario() -> None:
        async with providing(answering(sending(size))) as provider, serving() as bench:
            served = config(provider.port)
            await bench.apply(reading_responses(served) if collected else served)
            caller = await connect_narrowly(bench)
            await caller.send(GET)
            await caller.head()
            await settle(lambda: is_blocked(bench))
            assert bench.buffered == (size if collected else 0)
            for _ in range(5):
                await caller.reader.read(10)
                bench.pass_time(60.0)
            await settle(lambda: not bench.connections)
            assert bench.buffered == 0

    run(scenario())


class Unsent(asyncio.Transport):
    """A transport that never gets rid of its bytes, not even when it is lost."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 1


def test_caller_that_is_lost_over_unsent_bytes_leaves_no_collected_body_behind() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(reading_body(provider.port))
            caller = Downstream(bench.gateway.context, PORT)
            caller.connection_made(Unsent())
            caller.data_received(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
            assert 4 == bench.buffered
            caller.connection_lost(None)
            assert 0 == bench.buffered

    run(scenario())


def test_caller_that_reads_slowly_but_keeps_up_the_rate_is_served() -> None:
    """It takes less in a window than the kernel wants to have free before it asks the gateway for more."""
    size = 20_000_000

    async def scenario() -> None:
        async with providing(answering(sending(size))) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await connect_narrowly(bench, buffer=65_536)
            await caller.send(GET)
            await caller.head()
            await settle(lambda: is_blocked(bench))
            for _ in range(50):
                await caller.reader.readexactly(300_000)
                bench.pass_time(30.0)
            assert len(await caller.reader.readexactly(size - 15_000_000)) == size - 15_000_000

    run(scenario())


def test_provider_that_does_not_read_a_body_is_blamed_itself() -> None:
    async def scenario() -> None:
        async with providing(silent) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n"
            flood = spawn(caller.send(head + b"x" * 50_000_000), name="flood")
            await settle(lambda: is_paused(bench))
            bench.pass_time(61.0)
            assert await status_of(caller) == 504
            flood.cancel()

    run(scenario())
