"""Deletes shards that no index names any more: old ones, and the oldest as soon as they are too much together.

How long a shard has been idle is counted from when *this* process first saw it unnamed, by its own clock. The age of
the Secret says nothing: one that was in force for an hour and is replaced now must stay for the proxies that were just
told of it. Who takes over counts anew, which is safe, because what has gathered meanwhile is bounded by its size.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from wardgate.kube.delivery.shards import sequence_of
from wardgate.kube.publish.publisher import Publisher

KEPT: Final = 600.0
"""Seconds that an idle shard is kept at most."""
PROTECTED: Final = 15.0
"""Seconds that it is kept at least: what a proxy may need from reading the index to having read the shards."""
ALLOWED: Final = 32 * 1024 * 1024
"""Bytes that idle shards may have together, once they are not protected."""
_BATCH: Final = 250
"""Deletions of one sweep, one after the other: publishing has the API server for itself in between."""


@dataclass(frozen=True, slots=True)
class IdleShard:
    """A shard that no index names, ``since`` seconds on the clock. ``size`` in bytes."""

    name: str
    size: int
    since: float


def to_delete(idle: Collection[IdleShard], *, now: float) -> tuple[str, ...]:
    """Which of them go, the oldest first."""
    total = sum(shard.size for shard in idle)
    gone = []
    for shard in sorted(idle, key=lambda one: (one.since, sequence_of(one.name), one.name)):
        age = now - shard.since
        if age > KEPT or (age >= PROTECTED and total > ALLOWED):
            gone.append(shard.name)
            total -= shard.size
    return tuple(gone)


class Sweeper:
    """``clock`` is monotonic. To be run every few seconds in a term, beside a ``DamageWatch``."""

    def __init__(self, publisher: Publisher, *, clock: Callable[[], float]) -> None:
        self._publisher = publisher
        self._clock = clock
        self._since: dict[str, float] = {}

    async def sweep(self) -> int:
        """Delete what is due; return how many. Raises ``KubeError``.

        Nothing is deleted unless the index is still as we wrote it: to one that was deposed unawares, what its
        successor has published looks idle. An idle shard never comes back into use (rule 2 of the publisher).
        """
        due = to_delete(self._observe(), now=self._clock())[:_BATCH]
        if not due or not await self._publisher.still_leads():
            return 0
        for name in due:
            await self._publisher.secrets.delete(name)
            self._publisher.inventory.remove(name)
        return len(due)

    def _observe(self) -> list[IdleShard]:
        """The shards that are idle now, and since when."""
        now, in_use = self._clock(), self._publisher.in_use
        idle = [shard for shard in self._publisher.inventory.shards if shard.name not in in_use]
        self._since = {shard.name: self._since.get(shard.name, now) for shard in idle}
        return [IdleShard(shard.name, shard.size, self._since[shard.name]) for shard in idle]
