"""Which shards exist, as lists and watches of their metadata tell. No I/O.

Only Secrets with our release's label and the role of a shard count, so that nothing else is ever taken for one: what
is not in here is never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wardgate.kube.delivery.index import RELEASE_LABEL, ROLE_LABEL, ShardRef
from wardgate.kube.delivery.shards import MAX_SHARD, ROLE, SIZE_ANNOTATION, sequence_of


@dataclass(frozen=True, slots=True)
class StoredShard:
    """A Secret that holds a shard. ``size`` in compressed bytes."""

    name: str
    uid: str
    size: int


class Inventory:
    """The shards of one release. Not thread-safe: the event loop's."""

    def __init__(self, release: str) -> None:
        self._release = release
        self._shards: dict[str, StoredShard] = {}
        self._created: dict[str, StoredShard] = {}
        self.highest = 0
        """The highest sequence in the name of any shard ever seen here."""

    @property
    def shards(self) -> tuple[StoredShard, ...]:
        """All of them, in no order that means anything."""
        return tuple(self._shards.values())

    def holds(self, shard: ShardRef) -> bool:
        """Whether this very Secret exists, and not another one under its name."""
        held = self._shards.get(shard.name)
        return held is not None and shard.uid in {"", held.uid}

    def begin(self) -> None:
        """A list begins: what is created from now on may be missing in it."""
        self._created.clear()

    def replace(self, metadata: Iterable[Mapping[str, Any]]) -> None:
        """Take a full list, together with what was created since it began."""
        self._shards = dict(self._created)
        for one in metadata:
            self.take(one)

    def take(self, metadata: Mapping[str, Any]) -> None:
        """Take a Secret that exists."""
        labels = metadata.get("labels") or {}
        if labels.get(RELEASE_LABEL) != self._release or labels.get(ROLE_LABEL) != ROLE:
            self.remove(str(metadata["name"]))
            return
        self._hold(StoredShard(str(metadata["name"]), str(metadata["uid"]), _size(metadata)))

    def add(self, shard: StoredShard) -> None:
        """Take a shard that was just created."""
        self._created[shard.name] = shard
        self._hold(shard)

    def remove(self, name: str) -> None:
        """Take a deletion."""
        self._shards.pop(name, None)
        self._created.pop(name, None)

    def _hold(self, shard: StoredShard) -> None:
        self._shards[shard.name] = shard
        self.highest = max(self.highest, sequence_of(shard.name))


def _size(metadata: Mapping[str, Any]) -> int:
    """As the annotation says; where that is unreadable the largest, because too much may be counted, too little not."""
    text = (metadata.get("annotations") or {}).get(SIZE_ANNOTATION)
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else MAX_SHARD
