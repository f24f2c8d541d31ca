"""How groups become shards: large ones are cut into parts, and where many change at once, several share one. No I/O.

A part is small enough in clear to fit a shard however badly it compresses, so nothing is compressed to be measured.

Rule 1: cuts follow the content. A cut is made between two objects of a list, and the bytes there decide which:
so a change of one route moves no cut but those beside it, and all other parts stay what they are, byte for byte.
Rule 2: no content makes parts smaller than the least size or larger than the most: where it offers no cut, one is made
anywhere. A reader puts bytes together again and minds no cut.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from wardgate.kube.delivery.shards import entry_of
from wardgate.wire.bundle import hash_of

_K = TypeVar("_K")

MAX_PART: Final = 512 * 1024
"""Bytes in clear of a part, or of a group that is not cut: what gzip makes of them is less than a shard holds."""
_LEAST: Final = 4
"""A part has at least one in so many of the bytes that it may have, but for the last one of a group."""
_BETWEEN: Final = re.compile(rb"\},\{")
_LOOKED_AT: Final = 256
"""Bytes before a cut that decide on it: many objects end alike, and few have a whole end in common."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A group as a shard holds it, or the part of it from ``start`` to ``end``; ``whole`` as in ``ShardRef``."""

    group: str
    start: int
    end: int
    sha256: str
    whole: str = ""

    @property
    def entry(self) -> str:
        """The entry that holds it."""
        return entry_of(self.group, part=self.sha256 if self.whole else "")


def cut(data: bytes, *, group: str, sha256: str, most: int = MAX_PART) -> tuple[Piece, ...]:
    """The pieces of a group in their order; ``sha256`` is its hash, ``most`` the bytes of a part."""
    if len(data) <= most:
        return (Piece(group, 0, len(data), sha256),)
    return tuple(
        Piece(group, start, end, hash_of(data[start:end]), whole=sha256) for start, end in cuts(data, most=most)
    )


def cuts(data: bytes, *, most: int) -> Iterator[tuple[int, int]]:
    """From where to where each part reaches; at least one of them."""
    start = 0
    while len(data) - start > most:
        end = _next_cut(data, least=start + most // _LEAST, most=start + most)
        yield start, end
        start = end
    yield start, len(data)


def _next_cut(data: bytes, *, least: int, most: int) -> int:
    """The place between two objects before which the least stands, as a hash counts; any place where there is none.

    So the same place is found again from another start, as long as it lies within reach of both.
    """
    places = (found.start() + 1 for found in _BETWEEN.finditer(data, least, most))
    return min(places, key=lambda place: (zlib.crc32(data[place - _LOOKED_AT : place]), place), default=most)


def share(sizes: Mapping[_K, int], *, shards: int, max_shard: int) -> Iterator[tuple[_K, ...]]:
    """Which pieces share a shard; ``sizes``: compressed bytes of each. It takes about so many shards, all alike.

    As long as there are not more pieces than that, each has a shard of its own: what is shared stays as long as any of
    them is in force. In the worst case that is ``shards`` copies of everything.
    """
    enough = 0 if len(sizes) <= shards else sum(sizes.values()) / shards
    together: list[_K] = []
    total = 0
    for piece, size in sizes.items():
        if together and (total >= enough or total + size > max_shard):
            yield tuple(together)
            together, total = [], 0
        together.append(piece)
        total += size
    if together:
        yield tuple(together)
