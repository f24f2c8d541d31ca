"""Requests that wait for a connection to an endpoint to become free.

Rule 1: callers take turns, and each caller's requests keep their order. Who has a hundred in the line delays another
        caller's one by a single turn.
Rule 2: the line is bounded, and no caller fills more than its share of it.
Rule 3: nobody waits longer than he was told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Protocol

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.errors import UpstreamError


class Waiter(Protocol):
    """Who waits for a connection."""

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """A connection is free; it belongs to the waiter now."""

    def upstream_failed(self, error: UpstreamError) -> None:
        """There will be none."""


class _Place:
    __slots__ = ("until", "waiter")

    def __init__(self, waiter: Waiter, until: float) -> None:
        self.waiter = waiter
        self.until = until


class WaitingLine:
    """``waiting``: how many wait."""

    __slots__ = ("_budget", "_lines", "waiting")

    def __init__(self, limit: int, *, percent: int) -> None:
        self._budget = Budget(limit, percent=percent)
        self._lines: dict[Hashable, deque[_Place]] = {}
        """By caller; whose turn is next comes first."""
        self.waiting = 0

    def join(self, waiter: Waiter, holder: Hashable, *, until: float) -> ReplyReason | None:
        """Take the last place of a caller's, or say why not; ``until``: a moment of the pool's clock."""
        refusal = self._budget.take(holder)
        if refusal is None:
            self._lines.setdefault(holder, deque()).append(_Place(waiter, until))
            self.waiting += 1
        return refusal

    def next(self, refuse: Callable[[Hashable], ReplyReason | None]) -> tuple[Waiter, Hashable] | None:
        """Return whose turn it is, but for callers that ``refuse`` has something against; they keep their places."""
        for holder, line in self._lines.items():
            if refuse(holder) is None:
                place = line.popleft()
                del self._lines[holder]
                if line:
                    self._lines[holder] = line  # behind all others
                self._leaves(holder)
                return place.waiter, holder
        return None

    def leave(self, waiter: Waiter) -> None:
        """Somebody does not want a connection any more, if it still waits."""
        self._remove(lambda place: place.waiter is waiter)

    def overdue(self, now: float) -> list[Waiter]:
        """Remove and return those who have waited long enough."""
        return self._remove(lambda place: now >= place.until)

    def _remove(self, leaves: Callable[[_Place], bool]) -> list[Waiter]:
        removed: list[Waiter] = []
        for holder, line in list(self._lines.items()):
            gone = [place for place in line if leaves(place)]
            for place in gone:
                line.remove(place)
                self._leaves(holder)
                removed.append(place.waiter)
            if not line:
                del self._lines[holder]
        return removed

    def _leaves(self, holder: Hashable) -> None:
        self._budget.give_back(holder)
        self.waiting -= 1
