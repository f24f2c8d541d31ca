"""Informational responses of an upstream (RFC 9110, 15.2): who gets them, and how many."""

from __future__ import annotations

import asyncio

from tests.proxy.io.bench import (
    OK,
    Provider,
    Script,
    answering,
    config,
    open_route,
    providing,
    routed,
    run,
    serving,
    settle,
)
from wardgate.ir import HeaderTemplate, MessageTemplate, TransformationPlan
from wardgate.proxy.settings import Limits, ProxySettings

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\nconnection: x-own\r\nx-own: 1\r\n\r\n"
PASSED = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"


def test_informational_responses_reach_the_caller_before_the_answer_is_known() -> None:
    async def scenario() -> None:
        answer = asyncio.Event()

        def hinting(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + HINTS)
                await answer.wait()
                writer.write(HINTS + OK)
                await reader.read()

            return script

        async with providing(hinting) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert await caller.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert await caller.head() == PASSED
            answer.set()
            assert await caller.head() == PASSED
            status, head, body = await caller.response()
            assert (status, b"link" in head, body) == (200, False, b"ok")

    run(scenario())


def test_connections_carry_on_behind_informational_responses() -> None:
    async def scenario() -> None:
        async with providing(answering(HINTS + OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for _ in range(3):
                await caller.send(GET)
                assert (await caller.head(), (await caller.response())[0]) == (PASSED, 200)
            assert provider.connections == 1

    run(scenario())


def test_caller_of_http_1_0_gets_none() -> None:
    async def scenario() -> None:
        async with providing(answering(HINTS + OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET.replace(b"1.1", b"1.0"))
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"link" not in answer

    run(scenario())


def test_caller_gets_none_that_a_plan_should_have_seen() -> None:
    async def scenario() -> None:
        plan = TransformationPlan("p", "post", response=MessageTemplate(headers=(HeaderTemplate("link", ""),)))
        async with providing(answering(HINTS + OK)) as provider, serving() as bench:
            await bench.apply(
                config(provider.port, listeners=routed(open_route(transformations=("p",))), transformations=(plan,))
            )
            caller = await bench.connect()
            await caller.send(GET)
            status, head, _ = await caller.response()
            assert (status, b"link" in head) == (200, False)

    run(scenario())


def test_more_than_the_limit_are_a_broken_response() -> None:
    async def scenario() -> None:
        settings = ProxySettings(admin="", limits=Limits(informational_responses=2))
        for count, expected in ((2, 200), (3, 502)):
            async with providing(answering(HINTS * count + OK)) as provider, serving(settings) as bench:
                await bench.apply(config(provider.port))
                caller = await bench.connect()
                await caller.send(GET)
                assert [await caller.head() for _ in range(2)] == [PASSED] * 2
                assert (await caller.response())[0] == expected

    run(scenario())


def test_switch_of_protocols_that_nobody_asked_for_reaches_no_caller() -> None:
    async def scenario() -> None:
        switch = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        async with providing(answering(switch)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert (await caller.response())[0] == 502

    run(scenario())


def test_request_that_got_an_informational_response_is_not_sent_again() -> None:
    async def scenario() -> None:
        def breaking(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(OK)
                await provider.read_request(reader)
                writer.write(HINTS)

            return script

        async with providing(breaking) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert (await caller.response())[0] == 200
            await caller.send(GET)
            assert (await caller.head(), (await caller.response())[0]) == (PASSED, 502)
            await settle(lambda: len(provider.received) == 2)
            assert provider.connections == 1

    run(scenario())
