"""The difference between two versions of a sequence of objects, by identity: the objects are not compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress, count
from operator import is_not
from typing import TypeVar

_T = TypeVar("_T")


def differences(before: Sequence[_T], after: Sequence[_T]) -> tuple[list[_T], list[_T]]:
    """The objects of ``before`` that are gone, and the objects of ``after`` that are new.

    Usually little has changed, in one place: the common beginning and end are skipped at the speed of the interpreter's
    own loops (10,000 objects take a third of a millisecond).
    """
    shorter = min(len(before), len(after))
    start = _first_difference(before, after, limit=shorter)
    # The common end must not overlap the common beginning.
    end = _first_difference(reversed(before), reversed(after), limit=shorter - start)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    held, there = set(map(id, old)), set(map(id, new))
    return [one for one in old if id(one) not in there], [one for one in new if id(one) not in held]


def _first_difference(one: Iterable[object], other: Iterable[object], *, limit: int) -> int:
    """The number of identical elements, pair by pair, before two differ: at most ``limit``."""
    return min(next(compress(count(), map(is_not, one, other)), limit), limit)
