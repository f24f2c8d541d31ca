"""A name for every request, so that a line of the log can be found in the caller's and the provider's records.

Asking the kernel for random bytes costs a system call; a block of them serves many requests.
"""

from __future__ import annotations

import os

from wardgate.proxy.core.fields.folded import drop, first_value, values_of
from wardgate.proxy.core.messages import Request

HEADER = b"x-request-id"
_LONGEST = 128
_DIGITS = 32
_BLOCK = 128
"""Ids of one system call."""


class RequestIds:
    """Ids of 32 hexadecimal digits, for one worker: a process that forks must not share them."""

    __slots__ = ("_at", "_digits")

    def __init__(self) -> None:
        self._digits = b""
        self._at = 0

    def name(self, request: Request) -> bytes:
        """Give the request an id, unless the caller brought one that can be logged; return it."""
        ids = values_of(request.headers, HEADER)
        if ids:
            given = first_value(request.headers, HEADER)
            if len(ids) == 1 and given is not None and len(given) <= _LONGEST and given.isascii():
                return given
            drop(request.headers, HEADER)
        fresh = self.fresh()
        request.headers.append((HEADER, fresh))
        return fresh

    def fresh(self) -> bytes:
        """Make an id."""
        if self._at == len(self._digits):
            self._digits = os.urandom(_BLOCK * _DIGITS // 2).hex().encode()
            self._at = 0
        start, self._at = self._at, self._at + _DIGITS
        return self._digits[start : self._at]
