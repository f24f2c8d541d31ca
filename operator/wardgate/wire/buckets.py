"""Which group each credential belongs to, worked out anew only around what changed since last time.

Credentials come sorted, so that a changed key changes one place of their sequence: what stands before it and after it
keeps its bucket, and only the buckets of what was added or removed there are gathered again. Changes are found by
comparing; that is quick because an unchanged credential mostly is the same object.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Final

from wardgate.ir import Credential

SIZES: Final = frozenset(1 << power for power in range(10))
"""How many buckets there may be."""
_CHUNK: Final = 128


class Buckets:
    """Spreads one sequence of credentials after another over ``size`` buckets."""

    def __init__(self, size: int) -> None:
        self._mask = size - 1
        self._credentials: tuple[Credential, ...] = ()
        self._places: list[int] = []
        """The bucket of each credential."""
        self._buckets: dict[int, tuple[Credential, ...]] = {}

    def spread(self, credentials: tuple[Credential, ...]) -> Mapping[int, tuple[Credential, ...]]:
        """Credentials by the number of their bucket, in the order they came; no bucket is empty."""
        before = common_start(self._credentials, credentials)
        after = common_start(self._credentials[before:][::-1], credentials[before:][::-1])
        gone = slice(before, len(self._credentials) - after)
        added = [self._place(one) for one in credentials[before : len(credentials) - after]]
        changed = {*self._places[gone], *added}
        self._places[gone] = added
        self._credentials = credentials
        self._gather(changed)
        return self._buckets

    def _gather(self, changed: set[int]) -> None:
        gathered: dict[int, list[Credential]] = {place: [] for place in changed}
        for one, place in zip(self._credentials, self._places, strict=True):
            if place in changed:
                gathered[place].append(one)
        kept = {place: held for place, held in self._buckets.items() if place not in changed}
        self._buckets = kept | {place: tuple(held) for place, held in gathered.items() if held}

    def _place(self, one: Credential) -> int:
        # CRC-32 is enough: who chooses keys could crowd a bucket under any hash that is not keyed, and gains nothing.
        return zlib.crc32(f"{one.key_set}\n{one.digest}".encode("utf-8", "surrogatepass")) & self._mask


def common_start(one: Sequence[object], other: Sequence[object]) -> int:
    """How many elements at the start of two sequences are equal, each to each."""
    size, place = min(len(one), len(other)), 0
    while place < size and one[place : place + _CHUNK] == other[place : place + _CHUNK]:
        place += _CHUNK
    place = min(place, size)
    while place < size and one[place] == other[place]:
        place += 1
    return place
