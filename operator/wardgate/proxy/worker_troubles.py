"""The troubles of workers: how they ended or why they cannot be started, until a successor serves.

A worker that ends soon after its start is a failed start, and the next attempt waits longer. Workers repeat a complaint
after a minute, and the others complain of the same thing within moments, so each complaint is passed on once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from wardgate.proxy.worker_process import WorkerProcess

_BACKOFF: Final = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
"""Seconds before each attempt to start a worker; the last counts for all further ones."""
_STEADY: Final = 10.0
"""Seconds after which the end of a worker is no failed start."""
_SAME_COMPLAINT: Final = 50.0
"""Seconds in which a complaint is still the one that was passed on."""


class WorkerTroubles:
    """``announce`` gets a sentence for each new trouble."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._failures: dict[int, int] = {}
        self._troubles: dict[int, str] = {}
        self._complained: dict[str, float] = {}

    def told(self) -> list[str]:
        """The troubles of this moment, by the numbers of the workers."""
        return [trouble for _, trouble in sorted(self._troubles.items())]

    def ended(self, number: int, worker: WorkerProcess) -> None:
        """A worker has ended, and a new one will take its place."""
        self._troubles[number] = f"{worker.obituary}."
        self._announce(f"{worker.obituary}; a new one takes its place.")

    def delay(self, number: int) -> float:
        """The seconds to wait before the next attempt to start this worker; counts as an attempt."""
        failures = self._failures[number] = self._failures.get(number, 0) + 1
        return _BACKOFF[min(failures - 1, len(_BACKOFF) - 1)]

    def cannot_start(self, number: int, error: OSError) -> None:
        """There is no memory for a process, or one more is not allowed. That may pass."""
        self._troubles[number] = f"Worker {number} cannot be started, and is tried again: {error.strerror}."
        self.complain(self._troubles[number])

    def serves(self, number: int, worker: WorkerProcess, *, now: float) -> None:
        """The worker serves. If it has done so for long, its end will be a new trouble, and not the next attempt."""
        self._troubles.pop(number, None)
        if now - worker.started_at > _STEADY:
            self._failures.pop(number, None)

    def complain(self, text: str) -> None:
        """Pass on a worker's complaint, unless the same one was passed on a moment ago."""
        now = time.monotonic()
        if now - self._complained.get(text, -_SAME_COMPLAINT) >= _SAME_COMPLAINT:
            self._complained = {known: at for known, at in self._complained.items() if now - at < _SAME_COMPLAINT}
            self._complained[text] = now
            self._announce(text)
