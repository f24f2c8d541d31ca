"""Responses that begin, and end, while the request is still on its way (RFC 9112, 9.3 and 9.6)."""

from __future__ import annotations

import asyncio

from tests.proxy.io.bench import OK, Provider, Script, config, providing, run, serving, settle

POST = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 4\r\n\r\nstop"


def parrot(provider: Provider) -> Script:
    """Answer each chunk with itself, at once."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        provider.received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD)
        while (size := await reader.readline()) != b"0\r\n":
            writer.write(size + await reader.readexactly(int(size, 16) + 2))
        await reader.readline()
        writer.write(b"0\r\n\r\n")
        await reader.read()

    return script


def refusing(provider: Provider) -> Script:
    """Answer a request by its head, and read no body."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        provider.received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(TOO_LARGE)
        await writer.drain()
        if provider.connections > 1:
            await reader.read()

    return script


def test_request_and_response_stream_past_each_other() -> None:
    async def scenario() -> None:
        async with providing(parrot) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(POST)
            assert (await caller.head()).startswith(b"HTTP/1.1 200 OK\r\n")
            for number in range(100):
                piece = b"3\r\n%03d\r\n" % number
                await caller.send(piece)
                assert await caller.reader.readexactly(len(piece)) == piece
            await caller.send(b"0\r\n\r\n")
            assert await caller.rest() == b"0\r\n\r\n"
            await settle(lambda: not bench.connections)

    run(scenario())


def test_refusal_reaches_a_caller_that_goes_on_sending() -> None:
    async def scenario() -> None:
        async with providing(refusing) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            for length, closes in ((300_000, True), (1000, False)):
                caller = await bench.connect()
                await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % length)
                status, head, body = await caller.response()
                assert (status, body, b"connection: close" in head) == (413, b"stop", closes)
                await caller.send(b"x" * length)
                if closes:
                    assert await caller.rest() == b""
                caller.close()
            assert provider.connections == 2

    run(scenario())


def test_connection_carries_on_behind_a_body_that_nobody_waited_for() -> None:
    async def scenario() -> None:
        def once(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                provider.received.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(TOO_LARGE if provider.connections == 1 else OK)
                await reader.read()

            return script

        async with providing(once) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n")
            assert (await caller.response())[0] == 413
            await caller.send(b"helloGET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await caller.response())[0] == 200
            assert [head[:4] for head in provider.received] == [b"POST", b"GET "]

    run(scenario())
