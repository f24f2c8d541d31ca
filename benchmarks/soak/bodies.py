"""Large bodies between a fast side and a slow one: they pass, and the worker's memory stays as it is."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.soak.callers import HEADERS
from benchmarks.soak.estate import Estate, Proxy

MIB = 1024 * 1024
_PIECE = 64 * 1024


@dataclass(slots=True)
class Passed:
    """Bytes that passed, and by how many the worker's memory grew at most."""

    size: int
    growth: int

    def __str__(self) -> str:
        return f"{self.size // MIB} MiB passed, the worker's memory grew by {self.growth / MIB:.1f} MiB"


def upload(estate: Estate, size: int, *, rate: int, say: Callable[[str], None]) -> Passed:
    """Send so many bytes to an upstream that takes ``rate`` of them a second."""

    def pieces() -> Iterator[bytes]:
        for sent in range(0, size, _PIECE):
            if sent and sent % (64 * MIB) == 0:
                say(f"{sent // MIB} MiB sent")
            yield b"\0" * min(_PIECE, size - sent)

    (proxy,) = estate.proxies
    with _watched(proxy) as growth:
        connection = _connected(proxy)
        headers = {**HEADERS, "content-length": str(size)}
        connection.request("POST", f"/upload?rate={rate}", body=pieces(), headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
    return Passed(size if answer.status == http.client.OK else 0, growth())


def download(estate: Estate, size: int, *, rate: int, say: Callable[[str], None]) -> Passed:
    """Take so many bytes at ``rate`` a second from an upstream that sends as fast as it can."""
    (proxy,) = estate.proxies
    with _watched(proxy) as growth:
        connection = _connected(proxy)
        connection.request("GET", f"/download?bytes={size}", headers=HEADERS)
        answer = connection.getresponse()
        taken, told, began = 0, 0, time.monotonic()
        while piece := answer.read(_PIECE):
            taken += len(piece)
            if taken - told >= 64 * MIB:
                told = taken
                say(f"{taken // MIB} MiB taken")
            time.sleep(max(0.0, began + taken / rate - time.monotonic()))
        connection.close()
    return Passed(taken, growth())


def _connected(proxy: Proxy) -> http.client.HTTPConnection:
    """A connection, over which a request has been answered: what the first one costs is not its body's."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=120)
    for _ in range(3):
        connection.request("GET", "/", headers=HEADERS)
        connection.getresponse().read()
    return connection


@contextmanager
def _watched(proxy: Proxy) -> Iterator[Callable[[], int]]:
    """Watch the workers' memory for the time of the block; give what tells by how many bytes it grew at most."""
    warm = _connected(proxy)
    warm.close()
    before = highest = proxy.memory()
    ended = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not ended.wait(0.02):
            highest = max(highest, proxy.memory())

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield lambda: highest - before
    finally:
        ended.set()
        watching.join()
