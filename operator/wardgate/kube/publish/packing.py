"""How large the groups of a bundle are, which of them fit no shard, and which of them share one. No I/O.

Compressing is what costs, so it is left out where its result is known: a group that is in force was compressed when it
was published, and one that is small enough in clear is small enough in any case. What is compressed only to be
measured is kept until it is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from wardgate.kube.delivery.shards import MAX_GROUP, MAX_SHARD, compress
from wardgate.wire.bundle import Bundle

_OVERHEAD: Final = 64
"""Bytes that gzip adds to what it cannot compress, beside one in two thousand."""


@dataclass(frozen=True, slots=True)
class OversizedGroup:
    """A group that fits no shard: ``size`` bytes compressed, or in clear where even those are too many."""

    group: str
    size: int
    limit: int


class TooLarge(Exception):
    """Nothing was published. ``groups`` must shrink first; the others may be published without what made them grow."""

    def __init__(self, groups: tuple[OversizedGroup, ...]) -> None:
        super().__init__("; ".join(f"Group {one.group} has {one.size} bytes of {one.limit}" for one in groups) + ".")
        self.groups = groups


def share(sizes: Mapping[str, int], *, shards: int, max_shard: int) -> Iterator[tuple[str, ...]]:
    """Which groups share a shard; ``sizes``: compressed bytes of each. It takes about so many shards, all alike.

    As long as there are not more groups than that, each has a shard of its own: what is shared stays as long as any of
    its groups is in force. In the worst case that is ``shards`` copies of everything.
    """
    enough = 0 if len(sizes) <= shards else sum(sizes.values()) / shards
    together: list[str] = []
    total = 0
    for group, size in sizes.items():
        if together and (total >= enough or total + size > max_shard):
            yield tuple(together)
            together, total = [], 0
        together.append(group)
        total += size
    if together:
        yield tuple(together)


class Packer:
    """``oversized`` may run on a thread while the event loop does the rest."""

    def __init__(self, *, max_shard: int = MAX_SHARD) -> None:
        self._max_shard = max_shard
        self._packed: dict[str, bytes] = {}

    def oversized(self, bundle: Bundle, in_force: Mapping[str, str]) -> tuple[OversizedGroup, ...]:
        """The groups that fit no shard. ``in_force``: hashes of groups that are shards already, by name."""
        found = []
        for group, data in bundle.groups.items():
            if in_force.get(group) != bundle.hashes[group]:
                excess = self._excess(group, data, bundle.hashes[group])
                if excess is not None:
                    found.append(excess)
        return tuple(found)

    def pack(self, data: bytes, sha256: str) -> bytes:
        """The compressed bytes of a group."""
        return self._packed.get(sha256) or compress(data)

    def forget(self) -> None:
        """What was measured is published or given up."""
        self._packed.clear()

    def _excess(self, group: str, data: bytes, sha256: str) -> OversizedGroup | None:
        if len(data) + len(data) // 2000 + _OVERHEAD <= self._max_shard:
            return None
        if len(data) > MAX_GROUP:
            return OversizedGroup(group, len(data), MAX_GROUP)
        if sha256 not in self._packed:
            self._packed[sha256] = compress(data)
        size = len(self._packed[sha256])
        return OversizedGroup(group, size, self._max_shard) if size > self._max_shard else None
