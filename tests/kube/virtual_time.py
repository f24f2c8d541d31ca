"""Clocks that stand until the test moves them; whoever sleeps wakes when enough time has passed."""

from __future__ import annotations

import asyncio

from wardgate.kube.api.pacing import Timing

WALL = 1_800_000_000.0
"""2027-01-15T08:00:00Z."""


class VirtualTime:
    """``slept`` are the delays asked for; ``random`` is what the jitter gets."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.wall = WALL
        self.random = 0.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    @property
    def timing(self) -> Timing:
        return Timing(clock=lambda: self.at, now=lambda: self.wall, sleep=self._sleep, random=lambda: self.random)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken = asyncio.Event()
        self._sleepers.append((self.at + seconds, woken))
        await woken.wait()

    def sleeping(self) -> bool:
        """Whether somebody sleeps. Whoever falls asleep after ``pass_time`` has slept through none of it."""
        return bool(self._sleepers)

    def pass_time(self, seconds: float) -> None:
        self.at += seconds
        self.wall += seconds
        for due, woken in self._sleepers:
            if due <= self.at:
                woken.set()
        self._sleepers = [(due, woken) for due, woken in self._sleepers if due > self.at]
