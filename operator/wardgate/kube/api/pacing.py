"""Clocks and delays, which a test replaces instead of waiting."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

FIRST: Final = 0.05
LONGEST: Final = 5.0
SILENCE: Final = 75.0
"""Seconds without a word (bookmarks come every minute) after which a watch is dead; with a list it stays below 90
(invariant 5 of ARCHITECTURE.md)."""
INDEX_SILENCE: Final = 45.0
"""Seconds without a word after which a watch is dead. Less than elsewhere: a living operator renews the index every
15 s, so that three renewals were missed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """``clock`` is monotonic and ``now`` the wall's, both in seconds; ``random`` gives a number from 0 below 1."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Coroutine[object, object, None]] = asyncio.sleep
    random: Callable[[], float] = random.random


class Backoff:
    """Delays that double from ``FIRST`` to ``longest`` seconds, each cut by up to half so that a fleet spreads out."""

    def __init__(self, random: Callable[[], float], *, longest: float = LONGEST) -> None:
        self._random = random
        self._longest = longest
        self._next = FIRST

    def reset(self) -> None:
        """An attempt has succeeded: the next delay is the first again."""
        self._next = FIRST

    def next(self) -> float:
        """Seconds until the next attempt."""
        delay = self._next * (1.0 - 0.5 * self._random())
        self._next = min(self._next * 2, self._longest)
        return delay
