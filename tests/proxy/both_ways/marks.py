"""Marks: who sent a request, written somewhere in it, so that a byte that went astray tells where it came from."""

from __future__ import annotations

import re

_MARK = re.compile(rb"fz([0-9]+)x([0-9]+)x")


def mark(caller: int, number: int) -> bytes:
    """Return the mark of a caller's request."""
    return b"fz%dx%dx" % (caller, number)


def marks_in(data: bytes) -> list[bytes]:
    """Return the marks in some bytes, each once, in their order."""
    return list(dict.fromkeys(found[0] for found in _MARK.finditer(data)))


def callers_in(data: bytes) -> set[int]:
    """Return the callers whose marks are in some bytes."""
    return {int(found[1]) for found in _MARK.finditer(data)}
