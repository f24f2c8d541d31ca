"""Rates of very many keys, in memory that is fixed beforehand.

A key is hashed to one slot in each of two rows, with a seed of its own process, so that nobody can aim at another's
slot. A slot holds the moment at which its debt will be paid off: every charge adds to it, and time pays. A key is
exhausted only where both of its slots are, so with few keys that misbehave the others hardly ever share their fate; and
with very many of them the charges of all together stay bounded, by the number of slots.
"""

from __future__ import annotations

import secrets
from array import array
from hashlib import blake2b


class RateSketch:
    """Allows each key ``burst`` charges at once, and one more every ``interval`` seconds."""

    __slots__ = ("_full", "_interval", "_rows", "_seed")

    def __init__(self, *, slots: int, burst: int, interval: float) -> None:
        self._rows = tuple(array("d", bytes(8 * slots)) for _ in range(2))
        self._interval = interval
        self._full = burst * interval
        self._seed = secrets.token_bytes(32)

    def exhausted(self, key: bytes, *, now: float) -> bool:
        """Whether the key has no charge left at ``now``, in seconds, by any clock."""
        # Half a charge of tolerance: sums of intervals are not exact.
        most = self._full - self._interval / 2
        return all(self._debt(row, slot, now=now) > most for row, slot in self._slots(key))

    def charge(self, key: bytes, *, now: float) -> None:
        """Charge the key once."""
        for row, slot in self._slots(key):
            row[slot] = now + min(self._debt(row, slot, now=now) + self._interval, self._full)

    def _debt(self, row: array[float], slot: int, *, now: float) -> float:
        debt = row[slot] - now
        if debt > self._full:
            # The clock was set back. From here on the slot is paid off as fast as any other.
            debt = self._full
            row[slot] = now + debt
        return max(debt, 0.0)

    def _slots(self, key: bytes) -> tuple[tuple[array[float], int], ...]:
        digest = blake2b(key, key=self._seed, digest_size=8).digest()
        places = (int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:], "big"))
        return tuple((row, place % len(row)) for row, place in zip(self._rows, places, strict=True))
