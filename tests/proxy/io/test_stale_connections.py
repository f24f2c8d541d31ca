"""Idle connections that the upstream closes as the next request leaves: sent again where none of it can have been read.

The race is made by hand. A caller's request and the closing of the upstream's connection wait for the gateway together,
the request first; so it goes out on a connection that is closed already.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from tests.proxy.io.bench import CREDENTIAL, KEY, OK, Bench, config, guarded, reading_body, run, serving
from tests.proxy.io.test_writes import Wire, sender_of
from wardgate.ir import Endpoint, GatewayConfig, Upstream, UpstreamTls
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.request_sender import RequestSender
from wardgate.proxy.io.upstream.unacknowledged import never_read
from wardgate.proxy.settings import ProxySettings

BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
HOST = (
    b"Host: gateway.example\r\nUser-Agent: OpenAI/Python and so on, as clients have it\r\napi-key: %s\r\n"
    % KEY.encode()
)
FIRST = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"


def post(body: bytes = BODY) -> bytes:
    length = b"content-length: %d\r\n" % len(body)
    return b"POST /v1/chat/completions HTTP/1.1\r\n" + HOST + length + b"\r\n" + body


class Server:
    """An upstream of blocking sockets, each step on a thread, so that the loop knows nothing of it."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30.0)
        self._context = context
        self.port: int = self._listener.getsockname()[1]
        self.held: list[socket.socket] = []

    async def take(self, answer: bytes = OK) -> bytes:
        """Take a connection and read and answer its first request."""
        return await asyncio.get_running_loop().run_in_executor(None, self._take, answer)

    def _take(self, answer: bytes) -> bytes:
        connection, _ = self._listener.accept()
        connection.settimeout(30.0)
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        self.held.append(connection)
        received = connection.recv(65536)
        while b"\r\n\r\n" not in received or not received.endswith((BODY, b"\r\n\r\n")):
            received += connection.recv(65536)
        connection.sendall(answer)
        return received

    def close(self) -> None:
        for connection in self.held:
            connection.close()
        self._listener.close()


async def race(bench: Bench, server: Server, request: bytes, close: Callable[[socket.socket], None]) -> socket.socket:
    """Have one request answered; then let a second one meet a connection that was just closed."""
    caller = socket.create_connection(("127.0.0.1", bench.port))
    caller.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(caller, FIRST)
    await server.take()
    assert (await loop.sock_recv(caller, 65536)).endswith(b"ok")
    # Between here and the next await the loop sees nothing.
    caller.send(request)
    close(server.held[0])
    return caller


async def answered(caller: socket.socket) -> bytes:
    answer = await asyncio.get_running_loop().sock_recv(caller, 65536)
    caller.close()
    return answer


def closing(connection: socket.socket) -> None:
    connection.close()


def saying_goodbye(connection: socket.socket) -> None:
    """Close as TLS asks for: with a last record that says so."""
    assert isinstance(connection, ssl.SSLSocket)
    connection.setblocking(False)
    with suppress(ssl.SSLWantReadError):
        connection.unwrap()
    connection.close()


def resetting(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def keyed(port: int) -> GatewayConfig:
    """A route whose plain requests take the fast path."""
    return guarded(port, credentials=(CREDENTIAL,))


@pytest.mark.parametrize("make", [config, reading_body, keyed])
def test_post_that_met_a_closed_connection_is_sent_again(make: Callable[[int], GatewayConfig]) -> None:
    async def scenario() -> None:
        server = Server()
        async with serving() as bench:
            await bench.apply(make(server.port))
            caller = await race(bench, server, post(), closing)
            again = await server.take()
            assert again.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
            assert again.endswith(BODY)
            assert (await answered(caller)).startswith(b"HTTP/1.1 200 ")
            assert 2 == len(server.held)
            server.close()

    run(scenario())


def test_post_whose_last_chunk_found_the_pipe_broken_is_sent_again() -> None:
    chunks = b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    async def scenario() -> None:
        server = Server()
        async with serving() as bench:
            await bench.apply(config(server.port))
            caller = await race(bench, server, chunks, closing)
            assert (await server.take()).endswith(b"5\r\nhello\r\n0\r\n\r\n")
            assert (await answered(caller)).startswith(b"HTTP/1.1 200 ")
            server.close()

    run(scenario())


def test_post_over_tls_is_sent_again_too(tmp_path: Path) -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("api.example.com").configure_cert(context)
        server = Server(context)
        async with serving(ProxySettings(admin="", upstream_ca=str(tmp_path / "ca.pem"))) as bench:
            tls = UpstreamTls(sni="api.example.com")
            await bench.apply(
                config(1, upstreams=(Upstream("provider", (Endpoint("127.0.0.1", server.port),), tls=tls),))
            )
            caller = await race(bench, server, post(), saying_goodbye)
            assert BODY in await server.take()
            assert (await answered(caller)).startswith(b"HTTP/1.1 200 ")
            server.close()

    run(scenario())


def test_post_on_a_connection_that_was_reset_is_not_sent_again() -> None:
    async def scenario() -> None:
        server = Server()
        async with serving() as bench:
            await bench.apply(config(server.port))
            caller = await race(bench, server, post(), resetting)
            answer = await answered(caller)
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert 1 == len(server.held)
            server.close()

    run(scenario())


def test_request_is_sent_again_once() -> None:
    async def scenario() -> None:
        server = Server()
        async with serving() as bench:
            await bench.apply(config(server.port))
            caller = await race(bench, server, post(), closing)
            await server.take(answer=b"")
            server.held[1].close()
            assert (await answered(caller)).startswith(b"HTTP/1.1 502 ")
            server.close()

    run(scenario())


@pytest.mark.parametrize(("ticks", "connections"), [(1, 2), (2, 1)])
def test_body_is_held_until_a_dead_connection_would_have_told(ticks: int, connections: int) -> None:
    begun = b"PUT / HTTP/1.1\r\n" + HOST + b"content-length: 70000\r\n\r\nbegun\r\n\r\n"

    async def scenario() -> None:
        server = Server()
        async with serving() as bench:
            await bench.apply(config(server.port))
            caller = await race(bench, server, begun, lambda _: None)
            await asyncio.get_running_loop().run_in_executor(None, server.held[0].recv, 65536)
            for _ in range(ticks):
                bench.pass_time(1.0)
            server.held[0].close()
            if connections == 2:
                assert (await server.take()).endswith(b"\r\n\r\nbegun\r\n\r\n")
            assert (await answered(caller)).startswith(b"HTTP/1.1 200 " if connections == 2 else b"HTTP/1.1 502 ")
            assert connections == len(server.held)
            server.close()

    run(scenario())


def begin_on_an_idle_connection(sender: RequestSender) -> tuple[UpstreamConnection, Wire]:
    connection = UpstreamConnection(max_head=1000, max_informational=3)
    connection.used = 1
    wire = Wire(connection)
    sender.begin(connection, at_once=False)
    return connection, wire


def test_post_of_which_nothing_was_written_is_sent_again() -> None:
    async def scenario() -> None:
        sender = sender_of(post(b"").replace(b"length: 0", b"length: 9"))
        _, wire = begin_on_an_idle_connection(sender)
        assert [] == wire.writes
        assert sender.repeat()

    run(scenario())


def test_request_that_was_sent_again_is_not_sent_a_third_time_on_whatever_connection() -> None:
    async def scenario() -> None:
        sender = sender_of(post(b"").replace(b"length: 0", b"length: 9"))
        begin_on_an_idle_connection(sender)
        assert sender.repeat()
        begin_on_an_idle_connection(sender)  # handed over by somebody who was done with it
        assert not sender.repeat()

    run(scenario())


@pytest.mark.parametrize(
    ("writes", "left", "expected"),
    [
        ([300], 300, True),
        ([300], 329, True),  # encrypted
        ([300], 88, True),  # half of the head at most
        ([300], 87, False),
        ([300], 0, False),
        ([300], -1, False),
        ([300, 60], 360, True),
        ([300, 60], 300, True),  # the second write found the pipe broken
        ([300, 60], 60, False),
        ([60, 300], 360, False),  # what encryption adds might hide the first write
        ([300, 60_000], 60_300, True),
        ([300, 4_000_000], 4_000_300, False),
        ([300_000], 300_000, True),
        ([300_000], 284_000, False),
    ],
)
def test_never_read_is_what_nobody_acknowledged(writes: list[int], left: int, *, expected: bool) -> None:
    assert expected is never_read(writes, left=left)
