"""An innocent caller of a real worker, while another one keeps it as busy as it can.

The bound is ten times what the requests take on a busy machine. Without the turns that connections take, a single
request waited for seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import uvloop

from tests.proxy.io.bench import OK, answering, config, providing
from tests.proxy.test_supervisor import SETTINGS, supervising

pytestmark = pytest.mark.slow

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
REQUESTS = 50
BOUND = 30.0
ATTACKERS = 4
ATTACKS = {
    "empty lines": (b"", b"\r\n" * 32_768),
    "tiny chunks": (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000),
    "pipelined requests": (b"", b"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n" * 2000),
}


@contextmanager
def attacking(port: int, first: bytes, flood: bytes) -> Iterator[None]:
    """Flood the port from threads, on a new connection as often as the last one is closed."""
    stop = threading.Event()

    def attack() -> None:
        while not stop.wait(0.01):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0) as sock:
                sock.sendall(first)
                while not stop.is_set():
                    sock.sendall(flood)

    threads = [threading.Thread(target=attack) for _ in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


async def answers(port: int) -> list[bytes]:
    """The answers on one connection, request by request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for _ in range(REQUESTS):
        writer.write(GET)
        head = await reader.readuntil(b"\r\n\r\n")
        found.append(head.split(b" ")[1] + await reader.readexactly(2))
    writer.close()
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_innocent_caller_is_served_while_another_one_floods(name: str) -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(replace(SETTINGS, workers=1)) as running:
            applied = await running.apply(config(provider.port))
            port = int(applied.listeners[0].address.rpartition(":")[2])
            with attacking(port, *ATTACKS[name]):
                async with asyncio.timeout(BOUND):
                    assert await answers(port) == [b"200ok"] * REQUESTS

    uvloop.run(scenario())
