"""Marks: who sent a request, written somewhere in it, so that a byte that went astray tells where it came from.

A mark carries a sum of itself, so that a digit that a fuzzer put into one makes no other one of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARK = re.compile(rb"fz([0-9]+)x([0-9]+)x([0-9]+)z")


def mark(caller: int, number: int) -> bytes:
    """Return the mark of a caller's request."""
    return b"fz%dx%dx%dz" % (caller, number, _sum(caller, number))


def marks_in(data: bytes) -> list[bytes]:
    """Return the marks in some bytes, each once, in their order."""
    return list(dict.fromkeys(mark(caller, number) for caller, number in _found(data)))


def callers_in(data: bytes) -> set[int]:
    """Return the callers whose marks are in some bytes."""
    return {caller for caller, _ in _found(data)}


def _found(data: bytes) -> Iterator[tuple[int, int]]:
    for found in _MARK.finditer(data):
        caller, number = int(found[1]), int(found[2])
        if int(found[3]) == _sum(caller, number):
            yield caller, number


def _sum(caller: int, number: int) -> int:
    return 100 + (caller * 131 + number * 37) % 899
