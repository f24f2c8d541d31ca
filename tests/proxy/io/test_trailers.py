"""Trailers through a real gateway, both ways."""

from __future__ import annotations

import asyncio

from tests.proxy.io.bench import (
    CREDENTIAL,
    KEY,
    OK,
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
)
from wardgate.ir import HeaderTemplate, MessageTemplate, TransformationPlan

GET = b"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n"
BODY = b"2\r\nok\r\n0\r\nX-Checksum: abc\r\nSet-Cookie: a=b\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + BODY
PASSED = b"2\r\nok\r\n0\r\nx-checksum: abc\r\n\r\n"
DROPPED = b"2\r\nok\r\n0\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nTransfer-Encoding: chunked\r\n\r\n"


def taking(provider: Provider) -> Script:
    """Take one request in chunks to the end of its trailers."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        provider.received.append(await reader.readuntil(b"\r\n\r\n"))
        provider.bodies.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)

    return script


def test_trailers_of_a_response_reach_a_caller_who_takes_them_response_for_response() -> None:
    async def scenario() -> None:
        async with providing(answering(CHUNKED)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(GET)
                await caller.head()
                assert await caller.reader.readexactly(len(PASSED)) == PASSED
            await caller.send(GET.replace(b"TE: trailers\r\nConnection: TE\r\n", b""))
            await caller.head()
            assert await caller.reader.readexactly(len(DROPPED)) == DROPPED
            asked = [b"\r\nconnection: te\r\nte: trailers\r\n\r\n" in head for head in provider.received]
            assert asked == [True, True, False]
            assert provider.connections == 1

    run(scenario())


def test_caller_of_http_1_0_gets_the_body_alone() -> None:
    async def scenario() -> None:
        async with providing(answering(CHUNKED)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            answer = await bench.exchange(GET.replace(b"1.1", b"1.0"))
            assert answer.endswith(b"\r\n\r\nok")
            assert b"te: trailers" not in provider.received[0]

    run(scenario())


def test_trailers_do_not_pass_a_plan_for_responses_and_are_not_asked_for() -> None:
    async def scenario() -> None:
        plan = TransformationPlan("p", "post", response=MessageTemplate(headers=(HeaderTemplate("x-checksum", ""),)))
        async with providing(answering(CHUNKED)) as provider, serving() as bench:
            listeners = routed(open_route(transformations=("p",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            caller = await bench.connect()
            await caller.send(GET)
            await caller.head()
            assert await caller.reader.readexactly(len(DROPPED)) == DROPPED
            assert b"te: trailers" not in provider.received[0]

    run(scenario())


def test_trailers_of_a_request_reach_the_provider_without_the_key() -> None:
    async def scenario() -> None:
        async with providing(taking) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            trailers = f"X-Checksum: abc\r\nX-Copy: Bearer {KEY}\r\nApi-Key: {KEY}\r\nX-Api-Key: mine\r\nHost: evil\r\n"
            await caller.send(POST + b"2\r\nhi\r\n0\r\n" + trailers.encode() + b"\r\n")
            assert (await caller.response())[0] == 200
            assert provider.bodies == [b"2\r\nhi\r\n0\r\nx-checksum: abc\r\n\r\n"]

    run(scenario())


def test_trailers_of_one_request_do_not_end_the_next() -> None:
    async def scenario() -> None:
        def twice(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                for _ in range(2):
                    await reader.readuntil(b"\r\n\r\n")
                    provider.bodies.append(await reader.readuntil(b"\r\n\r\n"))
                    writer.write(OK)

            return script

        async with providing(twice) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            await caller.send((POST + b"0\r\nX-Checksum: abc\r\n\r\n") + (POST + b"0\r\n\r\n"))
            assert [(await caller.response())[0] for _ in range(2)] == [200, 200]
            assert provider.bodies == [b"0\r\nx-checksum: abc\r\n\r\n", b"0\r\n\r\n"]

    run(scenario())
