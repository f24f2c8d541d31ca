"""The body of a plain response in chunks, written anew for the caller as it comes (RFC 9112, 7.1).

Rule 1: nothing is refused here. A size with an extension, a trailer, a line that is cut in two, bytes behind the last
        chunk: whatever is not plain gets None, nothing of it is taken, and llhttp goes on from here.
Rule 2: all that arrived at once leaves as one chunk, as on the general way.
"""

from __future__ import annotations

import re
from typing import Final

from wardgate.proxy.core.http1.framing import LAST_CHUNK, chunk

_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LONGEST_LINE: Final = 17
_MOST: Final = 512
"""Chunks of one piece: tiny ones would keep the worker for too long."""


class PlainChunks:
    """``sent``: bytes of the body so far. ``done``: the last chunk has come."""

    __slots__ = ("_missing", "done", "sent")

    def __init__(self) -> None:
        self._missing = 0
        """Bytes of the chunk in hand that are still to come; 0: it is whole, with its end."""
        self.sent = 0
        self.done = False

    def take(self, data: bytes) -> bytes | None:
        """Return what is written for what arrived; None: it is not plain."""
        pieces: list[bytes] = []
        at, missing, size = 0, self._missing, len(data)
        for _ in range(_MOST):
            if missing:
                piece = data[at : at + missing]
                pieces.append(piece)
                missing -= len(piece)
                at = size if missing else _behind_end(data, at + len(piece))
            if at == size:
                return self._taken(pieces, missing=missing)
            end = data.find(b"\r\n", at, at + _LONGEST_LINE) if at >= 0 else -1
            if end < 0 or _SIZE.fullmatch(data, at, end) is None:
                return None
            missing = int(data[at:end], 16)
            at = end + 2
            if not missing:
                self.done = data[at:] == b"\r\n"
                return self._taken(pieces, missing=0) + LAST_CHUNK if self.done else None
        return None

    def _taken(self, pieces: list[bytes], *, missing: int) -> bytes:
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._missing = missing
        self.sent += len(body)
        return chunk(body) if body else b""

    def replayed(self) -> bytes:
        """Return bytes behind a head that bring another reader to where this one stands."""
        return b"%x\r\n0" % (self._missing + 1) if self._missing else b""


def _behind_end(data: bytes, at: int) -> int:
    """Return the place behind a chunk's CR LF; negative: it is not there."""
    return at + 2 if data[at : at + 2] == b"\r\n" else -1
