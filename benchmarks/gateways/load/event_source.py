"""A stand-in provider in Python, for cases that measure no throughput: event streams, and the requests of a prober.

``/v1/events`` streams server-sent events, each with the time at which it was sent (``time.monotonic_ns``);
``/v1/seen`` shows what arrived, as nginx does behind the other cases; everything else gets a short answer.

    python -m benchmarks.gateways.load.event_source PORT EVENTS_A_SECOND
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from typing import cast

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
ANSWER = b'{"answer": "42"}'
FILLING = b"x" * 120
"""About what a token's event of a provider is long."""


class Source(asyncio.Protocol):
    """One connection: requests without a body."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """End the stream."""
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._got += data
        while b"\r\n\r\n" in self._got:
            head, _, self._got = self._got.partition(b"\r\n\r\n")
            self._answer(head.decode("latin-1"))

    def _answer(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        path = first.split(" ")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if not headers.get("authorization", "").startswith("Bearer provider-token-"):
            self._write(b"418 I'm a teapot", b"")
        elif path == "/v1/events":
            self._transport.write(HEAD)
            self._timer = asyncio.get_running_loop().call_later(random.random() * self._pause, self._event)
        elif path == "/v1/seen":
            names = ("authorization", "api-key", "x-team-name")
            seen = " ".join(f"[{headers.get(name, '')}]" for name in names)
            self._write(b"200 OK", f"{headers.get('host', '')} {path} {seen}".encode())
        else:
            self._write(b"200 OK", ANSWER)

    def _write(self, status: bytes, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))

    def _event(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._event)
        event = b"data: %d %b\n\n" % (time.monotonic_ns(), FILLING)
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))


async def serve(port: int, events_a_second: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Source(1 / events_a_second), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
