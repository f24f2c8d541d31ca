"""A worker whose connections are all taken, under a flood of more of them: what a caller sees who has one."""

from __future__ import annotations

import http.client
import socket
import statistics
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.soak.callers import HEADERS
from benchmarks.soak.estate import Proxy, running

CONNECTIONS = 64
SETTINGS = ("timeouts.shutdown_delay=0", f"limits.connections={CONNECTIONS}")
_FLOODERS = 4


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds that a caller waited for its answers, and how many were not 200."""

    median: float
    highest_of_hundred: float
    failures: int

    def __str__(self) -> str:
        return f"median {self.median:.1f} ms, p99 {self.highest_of_hundred:.1f} ms, {self.failures} failures"


def overload(requests: int) -> tuple[Waits, Waits, Counter[str]]:
    """Send so many requests on one connection, in peace and under the flood. Returns both, and what the flood got."""
    flood: Counter[str] = Counter()
    ended = threading.Event()
    with running(settings=SETTINGS) as estate, ExitStack() as stack:
        (proxy,) = estate.proxies
        innocent = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        stack.callback(innocent.close)
        peace = _measure(innocent, requests)
        for number in range(CONNECTIONS - 1):
            stack.enter_context(_connection(proxy, number))
        threads = [threading.Thread(target=_flood, args=(proxy, flood, ended)) for _ in range(_FLOODERS)]
        for thread in threads:
            thread.start()
        try:
            attacked = _measure(innocent, requests)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    return peace, attacked, flood


def _connection(proxy: Proxy, number: int) -> socket.socket:
    """A connection from an address of its own, so that no share of one caller ends it."""
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=20, source_address=(f"127.0.1.{number + 1}", 0))


def _measure(connection: http.client.HTTPConnection, requests: int) -> Waits:
    waits, failures = [], 0
    for _ in range(requests):
        began = time.monotonic()
        connection.request("GET", "/", headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        waits.append((time.monotonic() - began) * 1000)
        failures += answer.status != http.client.OK
    cuts = statistics.quantiles(waits, n=100)
    return Waits(cuts[49], cuts[98], failures)


def _flood(proxy: Proxy, got: Counter[str], ended: threading.Event) -> None:
    number = 0
    while not ended.is_set():
        number = (number + 1) % 200
        try:
            with _connection(proxy, number) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                got[sock.recv(65536).split(b"\r\n", 1)[0].decode() or "closed"] += 1
        except OSError as error:
            got[type(error).__name__] += 1
