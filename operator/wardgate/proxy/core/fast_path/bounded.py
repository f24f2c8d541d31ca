"""A memory of so many things: where it is full, the oldest sixteenth of them is forgotten."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import islice
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
_PART: Final = 16


class Bounded(Generic[Key, Value]):
    """``kept``: to be looked up, and written to by ``keep`` alone. Looking up moves nothing."""

    __slots__ = ("_limit", "kept")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.kept: dict[Key, Value] = {}

    def keep(self, key: Key, value: Value) -> None:
        """Remember one."""
        kept = self.kept
        if len(kept) >= self._limit:
            for old in list(islice(kept, 1 + self._limit // _PART)):
                del kept[old]
        kept[key] = value

    def forget(self) -> None:
        """Forget all."""
        self.kept.clear()
