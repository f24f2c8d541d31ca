"""When to look again: at once after a quiet spell, together with the rest of a burst otherwise.

A change that comes after ``quiet`` seconds without a round starts one immediately, so that a single revocation is as
fast as it can be. Changes that follow sooner are joined: until nothing came for ``quiet`` seconds, or until the gap to
the last round is over. The gap is ``quiet`` at first and doubles up to ``longest`` while rounds follow one another, so
that the end of a short burst waits little and constant change costs few rounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

QUIET: Final = 0.05
LONGEST: Final = 0.25


class Trigger:
    """``mark`` from wherever something changed; one task awaits ``wait``. ``clock`` counts seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        quiet: float = QUIET,
        longest: float = LONGEST,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._quiet = quiet
        self._longest = longest
        self._dirty = asyncio.Event()
        self._first = 0.0
        self._last = float("-inf")
        self._released = float("-inf")
        self._gap = quiet

    def mark(self) -> None:
        """Something changed."""
        self._last = self._clock()
        if not self._dirty.is_set():
            self._first = self._last
            self._dirty.set()

    async def wait(self) -> float:
        """Return when a round is due, with the moment of the first change it is about."""
        await self._dirty.wait()
        if self._first - self._released < self._quiet:
            # A burst: every change moves the end of the wait, but never beyond the gap.
            while (rest := self._due() - self._clock()) > 0:
                await self._sleep(rest)
            self._gap = min(2 * self._gap, self._longest)
        else:
            self._gap = self._quiet
        self._released = self._clock()
        self._dirty.clear()
        return self._first

    def _due(self) -> float:
        return min(self._last + self._quiet, self._released + self._gap)
