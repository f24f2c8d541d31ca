"""The body of a caller's chunked request, read strictly (RFC 9112, 7.1).

A chunk's size is one to fifteen hexadecimal digits and CR LF, without an extension: nobody who calls an AI API sends
one, and readers that disagree on where it ends are how requests are smuggled. Trailers are read as strictly as headers,
and never merged into them; which of them go on is said in ``trailers``.
"""

from __future__ import annotations

import re

from wardgate.proxy.core.grammar import FIELD_LINE
from wardgate.proxy.core.messages import HeaderList

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_TRAILER = re.compile(FIELD_LINE)
_MAX_LINE = 16
_MAX_TRAILERS = 8192
_STEPS = 512
"""Steps of one ``feed``, three for a chunk: half a millisecond of the worker's thread."""


class ChunkedError(Exception):
    """The body's framing is broken: nothing after it can be trusted, so the connection must end."""


class ChunkedDecoder:
    """Feed it bytes as they arrive; once ``done``, ``rest`` holds what belongs to the next request.

    A flood of tiny chunks is read in several goes: while ``behind``, feed it again, if need be with nothing.
    """

    __slots__ = (
        "_at",
        "_buffer",
        "_in_trailers",
        "_missing",
        "_needs_crlf",
        "_trailer_bytes",
        "behind",
        "done",
        "rest",
        "trailers",
    )

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._missing = 0
        self._needs_crlf = False
        self._in_trailers = False
        self._trailer_bytes = 0
        self.behind = False
        self.done = False
        self.rest = b""
        self.trailers: HeaderList = []
        """Names in lower case."""

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes in ``data``, or the first of them if ``behind``. Raises ``ChunkedError``."""
        pieces: list[bytes] = []
        self._buffer += data
        steps = 0
        while not self.done and steps < _STEPS and self._advance(pieces):
            steps += 1
        self.behind = steps == _STEPS and not self.done
        # Cut once per feed, not once per chunk: a flood of one-byte chunks must not cost quadratic time.
        self._buffer, self._at = self._buffer[self._at :], 0
        if self.done:
            self.rest, self._buffer = self._buffer, b""
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _advance(self, pieces: list[bytes]) -> bool:
        """Take one step; False when more bytes are needed."""
        if self._missing:
            return self._take_data(pieces)
        if self._needs_crlf:
            return self._take_crlf()
        limit = _MAX_TRAILERS if self._in_trailers else _MAX_LINE
        end = self._buffer.find(b"\r\n", self._at, self._at + limit + 2)
        if end < 0:
            if len(self._buffer) - self._at >= limit + 2:
                msg = "A chunk's size or a trailer is too long."
                raise ChunkedError(msg)
            return False
        line = self._buffer[self._at : end]
        self._at = end + 2
        if self._in_trailers:
            self._take_trailer(line)
        else:
            self._take_size(line)
        return True

    def _take_data(self, pieces: list[bytes]) -> bool:
        piece = self._buffer[self._at : self._at + self._missing]
        if not piece:
            return False
        pieces.append(piece)
        self._at += len(piece)
        self._missing -= len(piece)
        self._needs_crlf = not self._missing
        return True

    def _take_crlf(self) -> bool:
        end = self._buffer[self._at : self._at + 2]
        if len(end) < 2:
            return False
        if end != b"\r\n":
            msg = "A chunk does not end where its size says."
            raise ChunkedError(msg)
        self._at += 2
        self._needs_crlf = False
        return True

    def _take_size(self, line: bytes) -> None:
        if _SIZE.fullmatch(line) is None:
            msg = "A chunk's size is not a plain hexadecimal number."
            raise ChunkedError(msg)
        self._missing = int(line, 16)
        self._in_trailers = not self._missing

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line)
        if self._trailer_bytes > _MAX_TRAILERS or _TRAILER.fullmatch(line) is None:
            msg = "The trailers are too long or no header fields."
            raise ChunkedError(msg)
        name, _, value = line.partition(b":")
        self.trailers.append((name.lower(), value.strip(b" \t")))
