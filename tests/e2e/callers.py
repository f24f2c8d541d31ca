"""Callers who ask every proxy all the time, with every key, and hold each answer against what was promised.

Of a key that changes either answer is right until the new one was given, by each proxy for itself, or until its time is
over; from then on only the new one is. So a revoked key that comes back is found as well as one that is never revoked,
and so is a refused caller whose key is good, or a proxy that does not answer at all, be it on a connection that it has
had for long or on a new one.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from tests.cluster.waiting import wait_until
from tests.e2e.door import HEADER, PATH
from tests.e2e.installation import Proxy

ACCEPTED: Final = 200
REFUSED: Final = 401
NO_ANSWER: Final = 0
PAUSE: Final = 0.02
ANSWER_SECONDS: Final = 5.0
LATE_SECONDS: Final = 30.0
"""How long after its time a change is awaited, so that a failure says how late it came."""
_SHOWN: Final = 10


@dataclass
class Change:
    """What is right for a key: ``before`` until ``deadline`` at the latest, then ``status``. Times are monotonic."""

    key: str
    before: int
    status: int
    deadline: float = float("inf")
    seen: dict[str, float] = field(default_factory=dict)
    """When each proxy first gave the new answer."""

    def takes(self, status: int, *, proxy: str, sent: float) -> bool:
        """Hold one answer against it."""
        if status == self.status:
            self.seen.setdefault(proxy, time.monotonic())
            return True
        return status == self.before and proxy not in self.seen and sent <= self.deadline


class Callers:
    """They ask from ``with`` to its end, where a wrong answer fails the test: one for each proxy, one key at a time.

    ``expected``: the status that is right for each key until its ``turn``, "" being no key.
    """

    def __init__(self, proxies: Iterable[Proxy], expected: Mapping[str, int]) -> None:
        self._proxies = {f"proxy {number}": proxy for number, proxy in enumerate(proxies, 1)}
        self._changes = {key: Change(key, status, status) for key, status in expected.items()}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask_all_the_time, args=each, name=f"caller of {each[0]}", daemon=True)
            for each in self._proxies.items()
        ]
        self.wrong: list[str] = []
        self.answers = 0
        self.slowest = 0.0
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(2 * ANSWER_SECONDS)
        print(f"{self.answers} answers, {len(self.wrong)} wrong, the slowest took {self.slowest:.2f} s")
        if error is None:
            assert [] == self.wrong[:_SHOWN]
            assert self.answers > 0
        elif self.wrong:
            error.add_note("\n".join(["Wrong answers besides:", *self.wrong[:_SHOWN]]))

    def turn(self, key: str, status: int) -> Change:
        """From now on another answer is right, too: call it before whatever changes it."""
        with self._lock:
            before = self._changes[key].status if key in self._changes else REFUSED
            self._changes[key] = change = Change(key, before, status)
        return change

    def must(self, *changes: Change, within: float, why: str, since: float | None = None) -> float:
        """Wait for the new answers; give the seconds until every proxy gave them. Later than ``within`` is wrong."""
        since = time.monotonic() if since is None else since
        for change in changes:
            change.deadline = since + within
        wait_until(
            lambda: all(change.seen.keys() == self._proxies.keys() for change in changes),
            seconds=within + LATE_SECONDS,
            what=f"{why}: {', '.join(f'{change.key} gets {change.status}' for change in changes)} from every proxy",
        )
        took = max(0.0, max(at for change in changes for at in change.seen.values()) - since)
        print(f"{why}: {took:.2f} s (at most {within:g})")
        assert took <= within, f"{why}: it took {took:.2f} s; at most {within:g} are promised."
        return took

    def rounds(self, count: int) -> None:
        """Wait until so many more answers came from all proxies together."""
        before = self.answers
        wait_until(lambda: self.answers >= before + count, seconds=30.0, what=f"{count} more answers")

    def _ask_all_the_time(self, name: str, proxy: Proxy) -> None:
        with closing(_connection(proxy)) as lasting:
            while not self._stopping.is_set():
                self._ask_with_all_keys(name, lasting)
                with closing(_connection(proxy)) as new:
                    self._ask_with_all_keys(name, new)

    def _ask_with_all_keys(self, name: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            asked = list(self._changes.values())
        for change in asked:
            self._ask(name, connection, change)
        self._stopping.wait(PAUSE)

    def _ask(self, name: str, connection: http.client.HTTPConnection, asked: Change) -> None:
        sent = time.monotonic()
        status = _answer(connection, asked.key)
        with self._lock:
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - sent)
            now = self._changes[asked.key]
            if now is not asked and status == asked.status:
                return  # it was promised otherwise while the answer was on its way
            if not now.takes(status, proxy=name, sent=sent):
                at = sent - self._began
                self.wrong.append(
                    f"{at:.2f} s: {name} answered {asked.key or 'no key'} with {status}, not {now.status}."
                )


def _connection(proxy: Proxy) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=ANSWER_SECONDS)


def _answer(connection: http.client.HTTPConnection, key: str) -> int:
    try:
        connection.request("GET", PATH, headers={HEADER: key} if key else {})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        with suppress(OSError):
            connection.close()
        return NO_ANSWER
    return response.status
