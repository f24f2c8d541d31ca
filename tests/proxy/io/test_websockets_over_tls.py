"""WebSockets with TLS on both sides, where neither side can be closed by half."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import trustme
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.proxy.io.bench import CREDENTIAL, KEY, Bench, guarded, run, serving, settle
from tests.proxy.io.test_listener_tls import tls_of
from tests.proxy.io.test_websockets import line
from wardgate.ir import Endpoint, Upstream, UpstreamTls


class Upstreams:
    """An echo over TLS that keeps how each of its connections ended."""

    def __init__(self) -> None:
        self.closed: list[int | None] = []

    async def handle(self, socket: ServerConnection) -> None:
        try:
            while True:
                message = await socket.recv()
                await socket.send(message)
                if message == "close":
                    await socket.close(4001, "as you like")
        except ConnectionClosed:
            self.closed.append(socket.close_code)


@asynccontextmanager
async def secure() -> AsyncIterator[tuple[Bench, Upstreams, trustme.CA]]:
    authority, upstreams = trustme.CA(), Upstreams()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.com").configure_cert(context)
    async with serve(upstreams.handle, "127.0.0.1", 0, ssl=context) as server, serving() as bench:
        port = next(iter(server.sockets)).getsockname()[1]
        tls = UpstreamTls("api.example.com", ca=authority.cert_pem.bytes().decode())
        base = guarded(
            port,
            credentials=(CREDENTIAL,),
            upstreams=(Upstream("provider", (Endpoint("127.0.0.1", port),), tls=tls),),
        )
        listeners = (replace(base.listeners[0], tls=tls_of(authority)),)
        assert await bench.apply(replace(base, listeners=listeners)) == ()
        yield bench, upstreams, authority


def dial(bench: Bench, authority: trustme.CA) -> connect:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return connect(
        "wss://gw.example.com/v1",
        host="127.0.0.1",
        port=bench.port,
        ssl=context,
        additional_headers={"api-key": KEY},
        proxy=None,
    )


async def echoed(socket: ClientConnection, message: str) -> bool:
    await socket.send(message)
    return await socket.recv() == message


def test_messages_pass_and_the_callers_close_reaches_the_provider() -> None:
    async def scenario() -> None:
        async with secure() as (bench, upstreams, authority):
            async with dial(bench, authority) as socket:
                assert await echoed(socket, "x" * 300_000)
                await socket.close(4000)
            await settle(lambda: bool(upstreams.closed))
            assert upstreams.closed == [4000]
            await settle(lambda: not bench.connections)
            assert ((entry := await line(bench))["status"], entry["reason"]) == (101, "")

    run(scenario())


def test_providers_close_reaches_the_caller() -> None:
    async def scenario() -> None:
        async with secure() as (bench, _, authority), dial(bench, authority) as socket:
            assert await echoed(socket, "close")
            await socket.wait_closed()
            assert (socket.close_code, socket.close_reason) == (4001, "as you like")
            await settle(lambda: not bench.connections)

    run(scenario())


def test_caller_that_vanishes_leaves_no_connection_to_the_provider() -> None:
    async def scenario() -> None:
        async with secure() as (bench, upstreams, authority), dial(bench, authority) as socket:
            assert await echoed(socket, "hello")
            socket.transport.abort()
            await settle(lambda: upstreams.closed == [1006])
            await settle(lambda: not bench.connections)
            assert ((entry := await line(bench))["status"], entry["reason"]) == (101, "")

    run(scenario())
