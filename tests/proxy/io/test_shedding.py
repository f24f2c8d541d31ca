"""A worker at its limits: who is too much gets an answer that says so, and all others are served as ever."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import trustme

from tests.proxy.io.bench import (
    CREDENTIAL,
    OK,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    guarded,
    open_route,
    providing,
    routed,
    run,
    serving,
    settle,
    upstream,
)
from tests.proxy.io.test_innocent_callers import GET, answered, has_received, reasons, with_key
from tests.proxy.io.test_listener_tls import tls_of, with_tls
from wardgate.ir import Forward, GatewayConfig, PathMatch, RouteMatch, WeightedUpstream
from wardgate.proxy.settings import Limits, ProxySettings
from wardgate.tasks import spawn

KEY = b"mysecretkey"


async def shed(caller: Caller, *, request: bytes = GET, status: int = 503) -> None:
    """A request is refused at once, and the connection ends in order."""
    await caller.send(request)
    got, head, body = await caller.response()
    assert (status, True) == (got, b"retry-after: 1\r\n" in head)
    assert b"connection: close\r\n" in head
    assert body.startswith(b'{"error":')
    assert b"" == await caller.rest()


def answering_when_told(go_on: asyncio.Event) -> Callable[[Provider], Script]:
    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await provider.read_request(reader):
                await go_on.wait()
                writer.write(OK)

        return script

    return make


def with_slow_route(port: int, *, slow: int) -> GatewayConfig:
    """A guarded route to one upstream, and an open one to another."""
    base = guarded(port, credentials=(CREDENTIAL,))
    path = (RouteMatch((PathMatch("prefix", "/slow"),)),)
    route = open_route(name="slow", matches=path, action=Forward((WeightedUpstream("slow", 1),)))
    return replace(
        base,
        listeners=routed(route, open_route(auth="plan")),
        upstreams=(*base.upstreams, replace(upstream(slow), name="slow")),
    )


@pytest.mark.parametrize(
    "request_bytes", [with_key(KEY), with_key(KEY, b"/another"), GET], ids=["fast", "new", "keyless"]
)
def test_request_beyond_those_in_flight_is_shed_and_served_when_one_has_ended(request_bytes: bytes) -> None:
    settings = ProxySettings(admin="", limits=Limits(requests=2))

    async def scenario() -> None:
        go_on = asyncio.Event()
        async with (
            providing(answering(OK)) as provider,
            providing(answering_when_told(go_on)) as slow,
            serving(settings) as bench,
        ):
            await bench.apply(with_slow_route(provider.port, slow=slow.port))
            warm = await bench.connect()
            for _ in range(4):
                await warm.send(with_key(KEY))
                assert 200 == (await warm.response())[0]
            assert bench.counters.prepared > 0  # the fast way
            holders = [await bench.connect() for _ in range(2)]
            for number, holder in enumerate(holders):
                await holder.send(GET.replace(b"/ ", b"/slow "))
                await settle(partial(has_received, slow, 1 + number))
            await shed(warm, request=request_bytes)
            assert 4 == len(provider.received)
            go_on.set()
            assert [200, 200] == [(await holder.response())[0] for holder in holders]
            assert [200] * 10 == await answered(bench, request=with_key(KEY))
            assert {"overload": 1, "": 16} == reasons(bench)

    run(scenario())


async def crowd(bench: Bench, count: int) -> list[Caller]:
    """So many callers, each at an address of its own."""
    return [await bench.connect(address=f"127.0.1.{number + 1}") for number in range(count)]


def test_callers_beyond_the_connections_are_told_so_and_those_who_have_one_are_served() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            innocent = await bench.connect()
            holders = await crowd(bench, 7)
            await settle(lambda: len(bench.connections) == 8)
            for late in await crowd(bench, 20):
                await shed(late)
                await innocent.send(GET)
                assert 200 == (await innocent.response())[0]
            assert [["overload", 20]] == bench.counters.take()["refused_connections"]
            holders[0].close()
            await settle(lambda: len(bench.connections) < 8)
            assert [200] * 10 == await answered(bench)

    run(scenario())


def test_caller_over_its_share_of_connections_is_told_so() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=8))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            callers = [await bench.connect() for _ in range(3)]
            await settle(lambda: len(bench.connections) == 2)
            await shed(callers[2], status=429)

    run(scenario())


def test_callers_that_are_turned_away_are_bounded_in_number_and_in_time() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=4, caller_share=100))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            innocent = await bench.connect()
            silent = await crowd(bench, 3 + 64)
            await settle(lambda: bench.gateway.context.callers.turned_away == 64)
            beyond = await bench.connect()
            await beyond.send(GET)
            assert await beyond.rest() in (b"", b"<reset>")
            await innocent.send(GET)
            assert 200 == (await innocent.response())[0]
            await asyncio.gather(*(caller.rest() for caller in silent[3:]))
            await settle(lambda: bench.gateway.context.callers.turned_away == 0)
            await shed(await bench.connect())

    run(scenario())


@pytest.mark.parametrize("size", [60_000, 1_000_000])
def test_caller_that_goes_on_sending_is_told_why_it_is_turned_away(size: int) -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=1))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            await bench.connect()
            await settle(lambda: len(bench.connections) == 1)
            late = await bench.connect()
            sending = spawn(late.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size), name="send")
            assert 503 == (await late.response())[0]
            late.writer.write(b"x" * size)
            assert await late.rest() in (b"", b"<reset>")
            await sending

    run(scenario())


def test_caller_is_turned_away_over_tls_too() -> None:
    settings = ProxySettings(admin="", limits=Limits(connections=1))

    async def scenario() -> None:
        authority = trustme.CA()
        context = ssl.create_default_context()
        authority.configure_trust(context)

        async def connect() -> Caller:
            caller = Caller(
                *await asyncio.open_connection("127.0.0.1", bench.port, ssl=context, server_hostname="gw.example.com")
            )
            bench.callers.append(caller)
            return caller

        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(with_tls(provider.port, tls_of(authority)))
            first = await connect()
            await settle(lambda: len(bench.connections) == 1)
            await shed(await connect())
            await first.send(GET)
            assert 200 == (await first.response())[0]

    run(scenario())


@pytest.mark.parametrize(("length", "status"), [(16 * 1024, 200), (16 * 1024 + 1, 414)])
def test_long_target_gets_its_own_refusal_on_a_warm_connection(length: int, status: int) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            for _ in range(3):
                await caller.send(with_key(KEY))
                await caller.response()
            await caller.send(with_key(KEY, b"/?" + b"q" * (length - 2)))
            assert status == (await caller.response())[0]

    run(scenario())


def test_refusal_of_a_bad_chunk_is_read_by_a_caller_that_goes_on_sending() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            for _ in range(10):
                caller = await bench.connect()
                # More than is read in one piece, so that some of it is not when the answer goes out.
                caller.writer.write(head + b"zz\r\n" + b"x" * 600_000)
                assert 400 == (await caller.response())[0]
                assert b"" == await caller.rest()

    run(scenario())
