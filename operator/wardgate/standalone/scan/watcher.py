"""Waits until a folder has changed.

By asking, not by being told. File-system events (inotify and its kin) watch inodes: they miss what happens behind a
link that is swapped, which is how mounted ConfigMaps and many GitOps tools deliver; they do not exist on network file
systems and on the shared folders of desktop container machines; and their queue can overflow, after which one has to
look at everything anyway. Looking costs a few microseconds a file and has none of these cases. The price is bounded by
looking less often where a folder is large.

A change is passed on once the folder has been still for a moment: editors replace a file in several steps (move the old
one away, write the new one), and a checkout touches many.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PollPace:
    """The rhythm of looking, in seconds."""

    shortest: float = 0.05
    """The pause between two looks at a small folder."""
    longest: float = 1.0
    share: float = 0.1
    """The largest share of the time that may go into looking."""
    still: float = 0.04
    """No difference between two looks so far apart: the folder is still."""
    patience: float = 0.1
    """A folder that never becomes still is read after so long nevertheless."""
    second_look: float = 2.1
    """After a change, for a further one that the file system's coarse times did not show."""


class Watcher:
    """``look`` returns something that compares equal as long as nothing changed; ``clock`` counts seconds."""

    def __init__(
        self,
        look: Callable[[], object],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        pace: PollPace | None = None,
    ) -> None:
        self._look = look
        self._clock = clock
        self._sleep = sleep
        self._pace = pace or PollPace()
        self._interval = self._pace.shortest
        self._second_look: float | None = None
        self._seen = self._timed_look()

    async def changed(self) -> float:
        """Wait until there may be something new; return when it was noticed, on ``clock``."""
        while True:
            await self._sleep(self._interval)
            seen = self._timed_look()
            now = self._clock()
            if seen != self._seen:
                self._seen = await self._settle(seen, now + self._pace.patience)
                self._second_look = self._clock() + self._pace.second_look
                return now
            if self._second_look is not None and now >= self._second_look:
                self._second_look = None
                return now

    async def _settle(self, seen: object, deadline: float) -> object:
        while self._clock() < deadline:
            await self._sleep(self._pace.still)
            again = self._timed_look()
            if again == seen:
                break
            seen = again
        return seen

    def _timed_look(self) -> object:
        started = self._clock()
        seen = self._look()
        cost = self._clock() - started
        self._interval = min(max(self._pace.shortest, cost / self._pace.share), self._pace.longest)
        return seen
