"""WebSockets through a real gateway, with a client and a server that others have written.

The cases follow Autobahn's: echoes of all sizes, in frames and in fragments, pings, close codes, from either side.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.proxy.io.bench import (
    CREDENTIAL,
    KEY,
    OK,
    TOKEN,
    Bench,
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
)
from wardgate.ir import Endpoint, HeaderTemplate, MessageTemplate, TransformationPlan, Upstream
from wardgate.proxy.settings import ProxySettings, Timeouts
from wardgate.tasks import spawn

Serve = Callable[[ServerConnection], Awaitable[None]]
MESSAGE = 16 * 1024 * 1024


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


class SocketServer:
    """A WebSocket server, and what its handshakes brought."""

    def __init__(self, port: int, handshakes: list[dict[str, str]]) -> None:
        self.port = port
        self.handshakes = handshakes


@asynccontextmanager
async def sockets(handler: Serve = echo, **options: Any) -> AsyncIterator[SocketServer]:
    handshakes: list[dict[str, str]] = []

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        handshakes.append({name.lower(): value for name, value in socket.request.headers.raw_items()})
        await handler(socket)

    async with serve(handle, "127.0.0.1", 0, max_size=MESSAGE, ping_interval=None, **options) as server:
        yield SocketServer(next(iter(server.sockets)).getsockname()[1], handshakes)


@asynccontextmanager
async def through(
    handler: Serve = echo, *, settings: ProxySettings | None = None, **options: Any
) -> AsyncIterator[tuple[Bench, SocketServer]]:
    """A gateway with a guarded route to a WebSocket server."""
    async with sockets(handler, **options) as upstream, serving(settings or ProxySettings(admin="")) as bench:
        await bench.apply(guarded(upstream.port, credentials=(CREDENTIAL,)))
        yield bench, upstream


def dial(bench: Bench, *, key: str = KEY, **options: Any) -> connect:
    return connect(
        f"ws://127.0.0.1:{bench.port}/v1/realtime",
        additional_headers={"api-key": key},
        max_size=MESSAGE,
        ping_interval=None,
        proxy=None,
        **options,
    )


async def line(bench: Bench) -> dict[str, object]:
    """The line of the access log that the one connection leaves."""

    def written() -> bool:
        bench.log.flush()
        return bool(bench.lines)

    await settle(written)
    return dict(json.loads(bench.lines[0]))


async def reach(bench: Bench, socket: ClientConnection) -> None:
    """Wait until the gateway carries the connection."""
    await socket.send("ping")
    assert await socket.recv() == "ping"
    assert len(bench.connections) == 1


# What arrives.


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 65_535, 65_536, 1_000_000, 8_000_000])
@pytest.mark.parametrize("kind", [str, bytes])
def test_message_comes_back_as_it_was(size: int, kind: type) -> None:
    async def scenario() -> None:
        message: str | bytes = (
            "é" * (size // 2) if kind is str else bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        )
        async with through() as (bench, _), dial(bench, compression=None) as socket:
            await socket.send(message)
            assert await socket.recv() == message

    run(scenario())


def test_compressed_messages_come_back_as_they_were() -> None:
    async def scenario() -> None:
        async with through() as (bench, upstream), dial(bench) as socket:
            for size in (10, 1000, 100_000):
                await socket.send("wardgate" * size)
                assert await socket.recv() == "wardgate" * size
            assert "permessage-deflate" in upstream.handshakes[0]["sec-websocket-extensions"]

    run(scenario())


@pytest.mark.parametrize("fragments", [["a"], ["", ""], ["a", "b", "c"], ["x" * 70_000, "", "y" * 70_000]])
def test_fragments_come_back_as_one_message(fragments: list[str]) -> None:
    async def scenario() -> None:
        async with through() as (bench, _), dial(bench) as socket:
            await socket.send(iter(fragments))
            assert await socket.recv() == "".join(fragments)

    run(scenario())


def test_messages_in_both_directions_at_once_keep_their_order() -> None:
    async def talk(socket: ServerConnection) -> None:
        for number in range(500):
            await socket.send(str(number))
        await echo(socket)

    async def scenario() -> None:
        async with through(talk) as (bench, _), dial(bench) as socket:
            for number in range(500):
                await socket.send(f"own {number}")
            assert [await socket.recv() for _ in range(500)] == [str(number) for number in range(500)]
            assert [await socket.recv() for _ in range(500)] == [f"own {number}" for number in range(500)]

    run(scenario())


def test_ping_of_either_side_is_answered_by_the_other() -> None:
    async def ping(socket: ServerConnection) -> None:
        await (await socket.ping(b"from the provider"))
        await socket.send("answered")

    async def scenario() -> None:
        async with through(ping) as (bench, _), dial(bench) as socket:
            await (await socket.ping(b"from the caller"))
            assert await socket.recv() == "answered"

    run(scenario())


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "bye"), (1008, "é" * 60), (1011, "x"), (3000, ""), (4999, "y")]
)
def test_close_of_the_caller_reaches_the_provider(code: int, reason: str) -> None:
    async def scenario() -> None:
        closed: list[tuple[int | None, str | None]] = []

        async def wait(socket: ServerConnection) -> None:
            await socket.wait_closed()
            closed.append((socket.close_code, socket.close_reason))

        async with through(wait) as (bench, _):
            async with dial(bench) as socket:
                await socket.close(code, reason)
            assert (code, reason) == (socket.close_code, socket.close_reason)
            await settle(lambda: bool(closed))
            assert closed == [(code, reason)]
            assert ("", 101) == ((entry := await line(bench))["reason"], entry["status"])

    run(scenario())


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1011, "out of order"), (4000, "z" * 120)])
def test_close_of_the_provider_reaches_the_caller(code: int, reason: str) -> None:
    async def close(socket: ServerConnection) -> None:
        await socket.send("last")
        await socket.close(code, reason)

    async def scenario() -> None:
        async with through(close) as (bench, _), dial(bench) as socket:
            assert await socket.recv() == "last"
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert (code, reason) == (socket.close_code, socket.close_reason)
            await settle(lambda: not bench.connections)
            assert (await line(bench))["reason"] == ""

    run(scenario())


def test_provider_that_breaks_off_breaks_the_callers_connection_off() -> None:
    async def vanish(socket: ServerConnection) -> None:
        socket.transport.abort()

    async def scenario() -> None:
        async with through(vanish) as (bench, _), dial(bench) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1006
            await settle(lambda: not bench.connections)

    run(scenario())


def test_caller_puts_no_endpoint_out_by_provoking_a_server_to_break_off() -> None:
    async def vanish(socket: ServerConnection) -> None:
        await socket.recv()
        raw = socket.transport.get_extra_info("socket")
        raw.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))  # the close is a reset
        socket.transport.abort()

    async def scenario() -> None:
        told: list[str] = []
        async with sockets(vanish) as one, sockets(vanish) as other, serving(report=told.append) as bench:
            endpoints = tuple(Endpoint("127.0.0.1", each.port) for each in (one, other))
            await bench.apply(guarded(1, credentials=(CREDENTIAL,), upstreams=(Upstream("provider", endpoints),)))
            for _ in range(20):
                async with dial(bench) as socket:
                    await socket.send("provoke")
                    await socket.wait_closed()
            assert (len(one.handshakes), len(other.handshakes), told) == (10, 10, [])

    run(scenario())


def test_caller_that_breaks_off_breaks_the_providers_connection_off() -> None:
    async def scenario() -> None:
        codes: list[int | None] = []

        async def wait(socket: ServerConnection) -> None:
            await socket.wait_closed()
            codes.append(socket.close_code)

        async with through(wait) as (bench, upstream), dial(bench) as socket:
            await settle(lambda: bool(upstream.handshakes))
            socket.transport.abort()
            await settle(lambda: bool(codes))
            assert codes == [1006]
            await settle(lambda: not bench.connections)

    run(scenario())


# Who may begin.


def test_key_is_exchanged_for_the_token_in_the_handshake() -> None:
    async def scenario() -> None:
        async with through() as (bench, upstream), dial(bench) as socket:
            await reach(bench, socket)
            handshake = upstream.handshakes[0]
            assert (TOKEN, None) == (handshake["x-api-key"], handshake.get("api-key"))
            assert KEY not in json.dumps(handshake)

    run(scenario())


def test_key_among_the_subprotocols_of_a_browser_stays_here() -> None:
    async def scenario() -> None:
        async with through(subprotocols=["realtime"]) as (bench, upstream):
            names = ["realtime", f"openai-insecure-api-key.{KEY}"]
            async with dial(bench, subprotocols=names) as socket:
                await reach(bench, socket)
                assert socket.subprotocol == "realtime"
            assert upstream.handshakes[0]["sec-websocket-protocol"] == "realtime"

    run(scenario())


def test_handshake_with_a_bad_key_is_refused() -> None:
    async def scenario() -> None:
        async with through() as (bench, upstream):
            with pytest.raises(InvalidStatus) as refused:
                async with dial(bench, key="wrong"):
                    pass
            assert refused.value.response.status_code == 401
            assert upstream.handshakes == []

    run(scenario())


def test_handshake_that_the_provider_refuses_is_an_ordinary_response() -> None:
    async def scenario() -> None:
        def refuse(socket: ServerConnection, _: object) -> object:
            return socket.respond(403, "not today")

        async with through(process_request=refuse) as (bench, _):
            with pytest.raises(InvalidStatus) as refused:
                async with dial(bench):
                    pass
            assert (403, b"not today") == (refused.value.response.status_code, refused.value.response.body)

    run(scenario())


def test_upgrades_that_the_installation_does_not_allow_are_ordinary_requests() -> None:
    async def scenario() -> None:
        async with through(settings=ProxySettings(admin="", upgrades=())) as (bench, upstream):
            with pytest.raises(InvalidStatus) as refused:
                async with dial(bench):
                    pass
            assert refused.value.response.status_code == 426
            assert upstream.handshakes == []

    run(scenario())


# How it ends.


async def dies_of_its_key(bench: Bench, socket: ClientConnection) -> None:
    """The gateway has just seen that the key is not good any more: a minute later the socket is closed."""
    bench.pass_time(59)
    await reach(bench, socket)
    bench.pass_time(2)
    with pytest.raises(ConnectionClosed):
        await socket.recv()
    assert (await line(bench))["reason"] == "key_revoked"


def test_revoked_key_closes_its_socket_after_the_grace() -> None:
    async def scenario() -> None:
        async with through() as (bench, upstream), dial(bench) as socket:
            await reach(bench, socket)
            await bench.apply(guarded(upstream.port))
            bench.pass_time(59)
            await dies_of_its_key(bench, socket)

    run(scenario())


def test_expired_key_closes_its_socket_after_the_grace() -> None:
    async def scenario() -> None:
        async with through() as (bench, upstream):
            expiring = replace(CREDENTIAL, expires_at=int(bench.clock.at) + 100)
            await bench.apply(guarded(upstream.port, credentials=(expiring,)))
            async with dial(bench) as socket:
                await reach(bench, socket)
                bench.pass_time(101)
                await dies_of_its_key(bench, socket)

    run(scenario())


def test_socket_outlives_a_change_of_its_routes() -> None:
    async def scenario() -> None:
        async with through() as (bench, _), dial(bench) as socket:
            await reach(bench, socket)
            await bench.apply(guarded(1, credentials=(CREDENTIAL,)))
            bench.pass_time(100)
            await reach(bench, socket)

    run(scenario())


def test_socket_of_which_nobody_says_anything_is_closed() -> None:
    async def scenario() -> None:
        settings = ProxySettings(
            admin="",
            timeouts=Timeouts(
                upgraded_idle=50, response_head=10, response_idle=10, stream_idle=10, request=10, body=10, write=10
            ),
        )
        async with through(settings=settings) as (bench, _), dial(bench) as socket:
            for _ in range(3):
                await reach(bench, socket)
                bench.pass_time(40)
            await reach(bench, socket)
            bench.pass_time(1)
            bench.pass_time(50)
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert (await line(bench))["reason"] == "idle_timeout"

    run(scenario())


@pytest.mark.parametrize("speaker", ["caller", "provider"])
def test_socket_on_which_one_side_alone_speaks_stays_open(speaker: str) -> None:
    async def scenario() -> None:
        heard = 0
        speak = asyncio.Event()

        async def listen(socket: ServerConnection) -> None:
            nonlocal heard
            if speaker == "caller":
                async for _ in socket:
                    heard += 1
            while await speak.wait():
                speak.clear()
                await socket.send("still here")

        async def say(socket: ClientConnection) -> None:
            nonlocal heard
            if speaker == "caller":
                await socket.send("still here")
            else:
                speak.set()
                await socket.recv()
                heard += 1

        async with through(listen) as (bench, _), dial(bench) as socket:
            for number in range(1, 5):
                await say(socket)
                await settle(lambda number=number: heard == number)  # type: ignore[misc]
                bench.pass_time(200)
            assert len(bench.connections) == 1
            bench.pass_time(101)
            await settle(lambda: not bench.connections)
            speak.set()
            assert (await line(bench))["reason"] == "idle_timeout"

    run(scenario())


def test_socket_outlives_the_beginning_of_the_draining_and_ends_with_it() -> None:
    async def scenario() -> None:
        async with through() as (bench, _), dial(bench) as socket:
            await reach(bench, socket)
            draining = spawn(bench.gateway.drain(), name="drain")
            await reach(bench, socket)
            bench.gateway.cut()
            await draining
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert (await line(bench))["reason"] == "shutting_down"

    run(scenario())


def test_access_log_counts_the_bytes_of_both_directions() -> None:
    async def scenario() -> None:
        async with through() as (bench, _):
            async with dial(bench, compression=None) as socket:
                await socket.send(b"x" * 1000)
                await socket.recv()
            entry = await line(bench)
            # A frame of the caller has a head of 8 bytes, one of the provider 4; a close has 8 and 4.
            assert (101, 1008 + 8, 1004 + 4) == (entry["status"], entry["received_bytes"], entry["sent_bytes"])
            assert ("default/api-huggingface-key", "") == (entry["key"], entry["reason"])

    run(scenario())


# How much is held.


def test_provider_waits_for_a_caller_that_reads_slowly() -> None:
    async def scenario() -> None:
        sent = 0

        async def flood(socket: ServerConnection) -> None:
            nonlocal sent
            for _ in range(1024):
                await socket.send(b"x" * 65_536)
                sent += 1

        async with through(flood, compression=None) as (bench, _), dial(bench, compression=None, max_queue=1) as socket:
            await quiet(lambda: sent)
            assert sent * 65_536 < 24 * 1024 * 1024
            assert waiting(bench) < 512 * 1024
            assert [len(await socket.recv()) for _ in range(1024)] == [65_536] * 1024

    run(scenario())


def test_caller_waits_for_a_provider_that_reads_slowly() -> None:
    async def scenario() -> None:
        go_on = asyncio.Event()
        sent = 0
        received = 0

        async def dawdle(socket: ServerConnection) -> None:
            nonlocal received
            await go_on.wait()
            async for message in socket:
                received += len(message)

        async def flood(socket: ClientConnection) -> None:
            nonlocal sent
            for _ in range(1024):
                await socket.send(b"x" * 65_536)
                sent += 1

        async with (
            through(dawdle, compression=None, max_queue=1) as (bench, _),
            dial(bench, compression=None) as socket,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(flood(socket))
            await quiet(lambda: sent)
            assert sent * 65_536 < 24 * 1024 * 1024
            go_on.set()
            await settle(lambda: received == 64 * 1024 * 1024)

    run(scenario())


async def quiet(count: Callable[[], int]) -> None:
    """Wait until a count that has begun stands still."""
    still = 0
    before = 0
    while still < 30:
        await asyncio.sleep(0.005)
        still = still + 1 if before and count() == before else 0
        before = count()


def waiting(bench: Bench) -> int:
    """Bytes that the gateway holds for its callers."""
    transports = [connection.transport for connection in bench.connections]
    return sum(0 if each is None else each.get_write_buffer_size() for each in transports)


# What is no WebSocket.

HANDSHAKE = (
    b"GET /v1/realtime HTTP/1.1\r\nHost: h\r\nApi-Key: mysecretkey\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
ACCEPT = b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"


def test_switch_without_the_proof_of_the_handshake_opens_nothing() -> None:
    async def scenario() -> None:
        for proof in (b"", ACCEPT.replace(b"s3", b"S3"), ACCEPT * 2):
            async with providing(answering(SWITCH + proof + b"\r\n")) as provider, serving() as bench:
                await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
                caller = await bench.connect()
                await caller.send(HANDSHAKE + b"GET /admin HTTP/1.1\r\nHost: h\r\n\r\n")
                statuses = [(await caller.response())[0] for _ in range(2)]
                assert statuses == [502, 401]
                assert len(provider.received) == 1

    run(scenario())


def test_bytes_that_come_before_the_switch_go_to_the_provider_behind_it() -> None:
    async def scenario() -> None:
        behind: list[bytes] = []

        def switching(provider: Provider) -> Script:
            async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await provider.read_request(reader)
                writer.write(SWITCH + ACCEPT + b"\r\nfirst words")
                behind.append(await reader.readexactly(11))
                writer.write(b" and last")
                behind.append(await reader.read())

            return script

        async with providing(switching) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            await caller.send(HANDSHAKE + b"early bytes")
            head = await caller.head()
            assert head.endswith(b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
            assert await caller.reader.readexactly(20) == b"first words and last"
            caller.end_requests()
            assert await caller.rest() == b""
            assert behind == [b"early bytes", b""]
            await settle(lambda: not bench.connections)
            assert provider.received[0].endswith(b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")

    run(scenario())


def test_handshake_that_is_answered_otherwise_leaves_the_connection_in_use() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(HANDSHAKE)
                assert (await caller.response())[0] == 200
            assert provider.connections == 1

    run(scenario())


def test_plan_that_changes_the_status_of_the_switch_breaks_the_handshake() -> None:
    async def scenario() -> None:
        plan = TransformationPlan("p", "post", response=MessageTemplate(headers=(HeaderTemplate(":status", "200"),)))
        async with providing(answering(SWITCH + ACCEPT + b"\r\n")) as provider, serving() as bench:
            listeners = routed(open_route(transformations=("p",)))
            await bench.apply(config(provider.port, listeners=listeners, transformations=(plan,)))
            caller = await bench.connect()
            await caller.send(HANDSHAKE)
            head = await caller.head()
            assert b"upgrade" not in head
            assert b"\r\nconnection: close" in head or b"content-length: " in head

    run(scenario())
