"""Callers that repeat nothing: each request is answered as it should be, or counts as failed.

They find proxies as callers in a cluster do: at the addresses of those that are ready, which are learned with a delay.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import urllib3

from benchmarks.soak.estate import Proxy
from benchmarks.soak.provider import ANSWER
from tests.proxy.io.bench import KEY

TIMEOUT = 20.0
_PROBE_EVERY = 0.1
HEADERS = {"api-key": KEY, "content-type": "application/json"}


class Endpoints:
    """The proxies that callers may be sent to. ``lag``: seconds from a probe of readiness until callers know of it."""

    def __init__(self, proxies: Sequence[Proxy], *, lag: float = 0.0) -> None:
        self._proxies = proxies
        self._lag = lag
        self._ended = threading.Event()
        self.ports = tuple(proxy.port for proxy in proxies)
        self._thread = threading.Thread(target=self._watch, name="endpoints", daemon=True)

    def pick(self) -> int:
        """Choose a port."""
        return random.choice(self.ports)

    def _watch(self) -> None:
        seen: deque[tuple[float, tuple[int, ...]]] = deque()
        while not self._ended.wait(_PROBE_EVERY):
            ready = tuple(proxy.port for proxy in self._proxies if proxy.is_ready)
            seen.append((time.monotonic() + self._lag, ready))
            while seen and seen[0][0] <= time.monotonic():
                self.ports = seen.popleft()[1] or self.ports

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


@dataclass(slots=True)
class Tally:
    """Answers and failures of all callers, and the longest wait for an answer, in seconds."""

    answers: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    last_failure: float = 0.0
    first_failure: float = 0.0

    def add(self, seconds: float, failure: str) -> None:
        """Count one request."""
        with self.lock:
            self.slowest = max(self.slowest, seconds)
            if failure:
                self.failures.append(failure)
                self.last_failure = time.monotonic()
                self.first_failure = self.first_failure or self.last_failure
            else:
                self.answers += 1

    def __str__(self) -> str:
        kinds = {kind: self.failures.count(kind) for kind in sorted(set(self.failures))}
        return f"{self.answers} answers, {len(self.failures)} failures {kinds or ''}, slowest {self.slowest:.2f} s"


Caller = Callable[[Endpoints, Tally, threading.Event], None]


def _body(number: int) -> tuple[str, bytes | None]:
    return ("POST", b'{"inputs": "hello"}') if number % 2 else ("GET", None)


def _check(status: int, body: bytes) -> str:
    return "" if (status, body) == (200, ANSWER) else f"status {status}"


def kept(endpoints: Endpoints, tally: Tally, ended: threading.Event) -> None:
    """Send one request after the other on one connection; look at nothing but the answers."""
    connection, number = _connection(endpoints), 0
    while not ended.wait(random.uniform(0.0, 0.02)):
        number += 1
        if _ask(connection, number, tally):
            connection.close()
            connection = _connection(endpoints)
    connection.close()


def fresh(endpoints: Endpoints, tally: Tally, ended: threading.Event) -> None:
    """Make a connection for each request."""
    number = 0
    while not ended.wait(random.uniform(0.0, 0.02)):
        number += 1
        connection = _connection(endpoints)
        _ask(connection, number, tally)
        connection.close()


def _connection(endpoints: Endpoints) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", endpoints.pick(), timeout=TIMEOUT)


def _ask(connection: http.client.HTTPConnection, number: int, tally: Tally) -> bool:
    """Send a request and count what comes; return whether the connection is of no more use."""
    began, over = time.monotonic(), True
    try:
        method, body = _body(number)
        connection.request(method, "/", body=body, headers=HEADERS)
        answer = connection.getresponse()
        failure = _check(answer.status, answer.read())
        over = answer.will_close
    except (OSError, http.client.HTTPException) as error:
        failure = type(error).__name__
    tally.add(time.monotonic() - began, failure)
    return over


def pausing(endpoints: Endpoints, tally: Tally, ended: threading.Event) -> None:
    """Keep connections in the pool of a client library, between requests that are seconds apart."""
    pools: dict[int, urllib3.HTTPConnectionPool] = {}
    number = 0
    while not ended.wait(random.uniform(0.1, 3.0)):
        number += 1
        port = endpoints.pick()
        pool = pools.setdefault(port, urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=TIMEOUT))
        began = time.monotonic()
        method, body = _body(number)
        try:
            answer = pool.request(method, "/", body=body, headers=HEADERS, retries=False)
            failure = _check(answer.status, answer.data)
        except urllib3.exceptions.HTTPError as error:
            failure = type(error).__name__
        tally.add(time.monotonic() - began, failure)
    for pool in pools.values():
        pool.close()


EVERYONE: Sequence[Caller] = (kept, kept, fresh, fresh, pausing, pausing, pausing, pausing)


@contextmanager
def calling(endpoints: Endpoints, callers: Sequence[Caller] = EVERYONE) -> Iterator[Tally]:
    """Let callers call for the time of the block."""
    tally, ended = Tally(), threading.Event()
    with endpoints:
        threads = [threading.Thread(target=caller, args=(endpoints, tally, ended), daemon=True) for caller in callers]
        for thread in threads:
            thread.start()
        try:
            yield tally
        finally:
            ended.set()
            for thread in threads:
                thread.join()
