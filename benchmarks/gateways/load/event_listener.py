"""A caller that holds many event streams and measures how late each event is.

    python -m benchmarks.gateways.load.event_listener PORT PATH STREAMS SECONDS

Prints JSON: the number of events, and the median and the 99th percentile of their delays in milliseconds. The first
half second does not count: that is when the streams begin.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import sys
import time
from typing import cast

import uvloop

from benchmarks.gateways.figures import percentile
from benchmarks.gateways.peers.site import KEY_HEADER, key, token

SENT = re.compile(rb"data: (\d+) ")
WARM_SECONDS = 0.5


class Listener(asyncio.Protocol):
    """One stream; ``delays`` get the nanoseconds of each event that counts."""

    def __init__(self, path: str, delays: list[int], *, since: int) -> None:
        self._path, self._delays, self._since = path, delays, since
        self.refused = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream; the token is for the upstream itself, where no gateway puts it on."""
        credentials = f"{KEY_HEADER}: {key(0)}\r\nauthorization: Bearer {token(0)}\r\n"
        cast("asyncio.Transport", transport).write(
            f"GET {self._path} HTTP/1.1\r\nhost: gateway.test\r\n{credentials}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Note how late the events are."""
        now = time.monotonic_ns()
        if data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 200"):
            self.refused = data[:80]
        if now >= self._since:
            self._delays.extend(now - int(sent) for sent in SENT.findall(data))


async def listen(port: int, path: str, *, streams: int, seconds: float) -> dict[str, float]:
    """Hold the streams and return the figures. Raises ``SystemExit`` where a stream is refused or nothing arrives."""
    delays: list[int] = []
    since = time.monotonic_ns() + int(WARM_SECONDS * 1e9)
    loop = asyncio.get_running_loop()
    pairs = [
        await loop.create_connection(lambda: Listener(path, delays, since=since), "127.0.0.1", port)
        for _ in range(streams)
    ]
    await asyncio.sleep(WARM_SECONDS + seconds)
    refused = next((listener.refused for _, listener in pairs if listener.refused), b"")
    if refused or not delays:
        sys.exit(f"The streams brought no events: {refused!r}")
    for transport, _ in pairs:
        transport.abort()
    milliseconds = [delay / 1e6 for delay in delays]
    return {"events": len(delays), "p50": percentile(milliseconds, 0.5), "p99": percentile(milliseconds, 0.99)}


def main() -> None:
    """Read the command line, listen, print."""
    port, path, streams, seconds = sys.argv[1:]
    gc.disable()
    print(json.dumps(uvloop.run(listen(int(port), path, streams=int(streams), seconds=float(seconds)))))


if __name__ == "__main__":
    main()
