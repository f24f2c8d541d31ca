"""A witness: asks the proxies without a pause, while something happens, and swears to what they answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from tests.e2e.door import HEADER, PATH
from tests.e2e.installation import Proxy

BETWEEN_SECONDS = 0.02
END_SECONDS = 40.0


class Witness:
    """For the time of a ``with`` block: ``expected`` is the status that each key must be given, "" being no key.

    The block fails at its end if any answer was another one; an answer that did not come counts as 0.
    """

    def __init__(self, proxies: Sequence[Proxy], expected: Mapping[str, int]) -> None:
        self._proxies = tuple(proxies)
        self._expected = dict(expected)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self.answers = 0
        self.complaints: list[str] = []

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(END_SECONDS)
        if kind is None:
            assert [] == self.complaints
            assert self.answers > 0

    def _watch(self) -> None:
        while not self._over.wait(BETWEEN_SECONDS):
            for number, proxy in enumerate(self._proxies, 1):
                for key, status in self._expected.items():
                    self._ask(number, proxy, key, status)

    def _ask(self, number: int, proxy: Proxy, key: str, expected: int) -> None:
        answered = proxy.status(PATH, **({HEADER: key} if key else {}))
        self.answers += 1
        if answered != expected:
            at = time.monotonic() - self._began
            whose = f"key {key!r}" if key else "no key"
            self.complaints.append(f"proxy {number} answered {answered} to {whose} after {at:.2f} s, not {expected}")
