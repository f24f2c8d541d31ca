"""One stream of events over many changes of the config: every event arrives, in order, and none late."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.soak.callers import HEADERS
from benchmarks.soak.changes import change
from benchmarks.soak.estate import Estate


@dataclass(slots=True)
class Received:
    """``events`` came in order, all of them where ``whole``; ``pause``: seconds between two of them, at most."""

    events: int = 0
    pause: float = 0.0
    whole: bool = False


def stream(estate: Estate, count: int, *, every: float, say: Callable[[str], None]) -> tuple[int, Received]:
    """Change the config so many times, after so many seconds each. Returns the number of events sent, and what came."""
    events = int(count * every / 0.1) + 20
    received = Received()
    (proxy,) = estate.proxies
    reader = threading.Thread(target=_read, args=(proxy.port, events, received), daemon=True)
    reader.start()
    change(estate, count, every=every, say=lambda number: say(f"change {number} of {count}: {received}"))
    reader.join(events * 0.1 + 60.0)
    return events, received


def _read(port: int, events: int, received: Received) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/stream?events={events}&every=0.1", headers=HEADERS)
    answer = connection.getresponse()
    last = time.monotonic()
    while line := answer.readline():
        if line == b"data: %d\n" % received.events:
            now = time.monotonic()
            received.pause, last = max(received.pause, now - last), now
            received.events += 1
    received.whole = received.events == events
    connection.close()
