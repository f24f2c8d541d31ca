"""A request that comes back to the installation that sent it on ends there, and nobody else's does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from tests.proxy.io.bench import OK, Provider, Script, answering, config, open_route, providing, routed, run, serving
from wardgate.ir import HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.settings import ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\n%bConnection: close\r\n\r\n"
HERE = ProxySettings(admin="", installation="here")
THERE = ProxySettings(admin="", installation="there")


def name(settings: ProxySettings) -> bytes:
    return LoopMark(settings.installation).after(())[1]


@asynccontextmanager
async def balancer(*ports: int) -> AsyncIterator[Provider]:
    """What stands before proxies: hands each request to the next port, and counts them as ``received``."""
    turns = 0

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal turns
            head = await provider.read_request(reader)
            turns += 1
            inner, outer = await asyncio.open_connection("127.0.0.1", ports[turns % len(ports)])
            outer.write(head)
            writer.write(await inner.readuntil(b"\r\n\r\n"))
            writer.write(await inner.read(4096))
            outer.close()

        return script

    async with providing(make) as provider:
        yield provider


@pytest.mark.parametrize("proxies", [1, 2])
def test_loop_ends_where_it_comes_back_to_the_installation(proxies: int) -> None:
    async def scenario() -> None:
        async with serving(HERE) as first, serving(HERE) as second:
            ports = [first.port, second.port][-proxies:]
            async with balancer(*ports) as before:
                for bench in (first, second):
                    await bench.apply(config(before.port))
                answer = await second.exchange(GET % b"")
            assert answer.startswith(b"HTTP/1.1 508 ")
            assert b'{"error":"The request has passed this gateway before."}' in answer
            assert len(before.received) == 1
            reasons = [
                row[5]
                for bench in (first, second)
                for row in cast("list[list[str]]", bench.counters.take()["requests"])
            ]
            assert sorted(reasons) == ["", "request_loop"]

    run(scenario())


def test_loop_through_two_installations_ends_where_it_began() -> None:
    async def scenario() -> None:
        async with serving(HERE) as here, serving(THERE) as there, balancer(here.port) as before:
            await here.apply(config(there.port))
            await there.apply(config(before.port))
            assert (await here.exchange(GET % b"")).startswith(b"HTTP/1.1 508 ")
            assert len(before.received) == 1
            assert b"cdn-loop: " + name(HERE) + b", " + name(THERE) + b"\r\n" in before.received[0]

    run(scenario())


def test_two_installations_in_a_row_are_passed() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(HERE) as here, serving(THERE) as there:
            await here.apply(config(there.port))
            await there.apply(config(provider.port))
            answer = await here.exchange(GET % b"CDN-Loop: cloudflare; loops=1\r\n")
            assert answer.startswith(b"HTTP/1.1 200 ")
            line = b"cdn-loop: cloudflare; loops=1, " + name(HERE) + b", " + name(THERE) + b"\r\n"
            assert line in provider.received[0]

    run(scenario())


def test_caller_who_writes_the_mark_fails_alone() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(HERE) as bench:
            await bench.apply(config(provider.port))
            spoofed = GET % (b"cdn-loop: " + name(HERE) + b"\r\n")
            assert (await bench.exchange(spoofed)).startswith(b"HTTP/1.1 508 ")
            assert (await bench.exchange(GET % b"")).startswith(b"HTTP/1.1 200 ")
            assert len(provider.received) == 1

    run(scenario())


def test_connection_serves_on_after_a_loop() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(HERE) as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"GET / HTTP/1.1\r\nHost: h\r\nCDN-Loop: " + name(HERE) + b"\r\n\r\n")
            assert (await caller.response())[0] == 508
            await caller.send(GET % b"")
            assert (await caller.response())[0] == 200

    run(scenario())


@pytest.mark.parametrize(
    "template",
    [
        MessageTemplate(remove=("cdn-loop",)),
        MessageTemplate(headers=(HeaderTemplate("cdn-loop", None),)),
        MessageTemplate(headers=(HeaderTemplate("cdn-loop", '{{ header("cdn-loop") }}'),)),
    ],
)
def test_transformation_neither_takes_the_mark_off_nor_reads_it(template: MessageTemplate) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving(HERE) as bench:
            plan = TransformationPlan("t", "post", request=template)
            route = open_route(transformations=("t",))
            await bench.apply(config(provider.port, listeners=routed(route), transformations=(plan,)))
            assert (await bench.exchange(GET % b"CDN-Loop: x\r\n")).startswith(b"HTTP/1.1 200 ")
            lines = [line for line in provider.received[0].split(b"\r\n") if line.startswith(b"cdn-loop:")]
            assert lines == [b"cdn-loop: x, " + name(HERE)]

    run(scenario())
