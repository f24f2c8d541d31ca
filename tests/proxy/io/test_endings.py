"""The ending of a worker: no request that came in time is lost, whatever its connection was doing."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable

import pytest
import trustme

from tests.proxy.io.bench import (
    OK,
    Bench,
    Caller,
    Provider,
    Script,
    answering,
    config,
    providing,
    run,
    serving,
    settle,
)
from tests.proxy.io.test_listener_tls import tls_of, with_tls
from wardgate.proxy.sockets import BACKLOG
from wardgate.tasks import spawn

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
CLOSE = b"connection: close\r\n"


def queued(bench: Bench) -> socket.socket:
    """Connect without a turn of the loop, so that the connection waits in the listener's queue."""
    return socket.create_connection(("127.0.0.1", bench.port))


async def caller_of(sock: socket.socket) -> Caller:
    sock.setblocking(False)
    return Caller(*await asyncio.open_connection(sock=sock))


async def turns(count: int = 20) -> None:
    """Let the loop do what it can do without anything arriving."""
    for _ in range(count):
        await asyncio.sleep(0)


async def last_answer(caller: Caller) -> None:
    """Read a good answer that is the connection's last one."""
    status, head, body = await caller.response()
    assert (200, b"ok", True) == (status, body, CLOSE in head)
    assert b"" == await caller.rest()
    caller.close()


def test_announced_ending_is_told_in_each_answer_and_refuses_nobody() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            old = await bench.connect()
            await old.send(GET)
            assert CLOSE not in (await old.response())[1]
            bench.gateway.announce_end()
            bench.pass_time(60.0)  # an idle connection keeps its time
            await old.send(GET)
            await last_answer(old)
            new = await bench.connect()
            await new.send(GET)
            await last_answer(new)

    run(scenario())


def test_requests_that_came_before_the_caller_could_know_are_answered_and_the_last_one_tells() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            bench.gateway.announce_end()
            caller = await bench.connect()
            await caller.send(GET * 3)
            assert [CLOSE in (await caller.response())[1] for _ in range(3)] == [False, False, True]
            assert b"" == await caller.rest()

    run(scenario())


def test_drain_finishes_what_is_in_flight_and_closes_what_stays_idle() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            idle, busy, arriving = [await bench.connect() for _ in range(3)]
            await busy.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
            await arriving.send(GET[:9])
            await settle(lambda: len(provider.received) == 1)
            draining = spawn(bench.gateway.drain(), name="drain")
            await turns()
            bench.pass_time(1.25)
            await turns()
            assert 3 == len(bench.connections)
            bench.pass_time(0.25)
            assert b"" == await idle.rest()
            await busy.send(b"b")
            await last_answer(busy)
            await arriving.send(GET[9:])
            await last_answer(arriving)
            await draining

    run(scenario())


def test_request_on_an_idle_connection_in_the_drain_is_answered() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await settle(lambda: len(bench.connections) == 1)
            draining = spawn(bench.gateway.drain(), name="drain")
            await turns()
            bench.pass_time(0.9)
            await caller.send(GET)
            await last_answer(caller)
            await draining

    run(scenario())


def test_request_that_has_arrived_when_an_idle_connection_is_to_be_closed_is_answered() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            sock = queued(bench)
            await settle(lambda: len(bench.connections) == 1)
            draining = spawn(bench.gateway.drain(), name="drain")
            await turns()
            sock.sendall(GET)
            bench.pass_time(1.5)  # nothing was read since, so the request is in the kernel
            await last_answer(await caller_of(sock))
            await draining

    run(scenario())


def paced(go_on: asyncio.Event) -> Callable[[Provider], Script]:
    """Answer the head at once, and the rest when told."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                writer.write(OK[:-1])
                await go_on.wait()
                writer.write(OK[-1:])

        return script

    return make


def test_answer_that_began_before_the_ending_leaves_time_for_another_request() -> None:
    async def scenario() -> None:
        go_on = asyncio.Event()
        async with providing(paced(go_on)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            caller = await bench.connect()
            await caller.send(GET)
            assert CLOSE not in await caller.head()
            draining = spawn(bench.gateway.drain(), name="drain")
            await turns()
            bench.pass_time(20.0)
            go_on.set()
            assert b"ok" == await caller.reader.readexactly(2)
            bench.pass_time(0.9)
            await caller.send(GET)
            await last_answer(caller)
            await draining

    run(scenario())


def test_connections_in_the_queue_are_served_and_later_ones_refused() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(config(provider.port))
            waiting = [queued(bench) for _ in range(40)]
            for sock in waiting[:20]:
                sock.sendall(GET)
            draining = spawn(bench.gateway.drain(), name="drain")
            await asyncio.sleep(0)
            with pytest.raises(ConnectionRefusedError):
                queued(bench)
            callers = [await caller_of(sock) for sock in waiting]
            for caller in callers[20:]:
                await caller.send(GET)
            for caller in callers:
                await last_answer(caller)
            await draining

    run(scenario())


def test_handshakes_in_the_queue_and_under_way_are_finished() -> None:
    async def scenario() -> None:
        authority = trustme.CA()
        context = ssl.create_default_context()
        authority.configure_trust(context)
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(with_tls(provider.port, tls_of(authority)))
            begun = queued(bench)
            await settle(lambda: bench.handshakes == 1)
            waiting = queued(bench)
            draining = spawn(bench.gateway.drain(), name="drain")
            await turns()
            assert not draining.done()
            for sock in (begun, waiting):
                sock.setblocking(False)
                reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname="gw.example.com")
                caller = Caller(reader, writer)
                await caller.send(GET)
                await last_answer(caller)
            await draining

    run(scenario())


def test_queue_of_a_listener_is_as_long_as_the_supervisor_made_it() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, serving() as bench:
            sock = bench.gateway.context.ports._ports[0].sock
            sock.listen(BACKLOG)
            before = longest_queue(sock)
            await bench.apply(config(provider.port))
            assert before == longest_queue(sock)

    run(scenario())


def longest_queue(sock: socket.socket) -> int:
    """Of a listening socket: ``tcpi_sacked`` of Linux's ``tcp_info``."""
    return int(struct.unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 28)[0])
