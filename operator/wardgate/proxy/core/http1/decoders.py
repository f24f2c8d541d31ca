"""One content coding of a response undone: gzip, deflate, br and zstd, in steps of bounded output.

However far the data expands, one step makes about ``STEP`` bytes, so that whoever counts them can stop in time. The
libraries of br and zstd are imported where they are first needed: a gateway whose plans read no response has no use for
them.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

STEP: Final = 64 * 1024
"""Bytes of output of one step; br makes up to half as much again."""
_MEMBERS: Final = 1024
"""Members of a gzip body, or frames of a zstd one. Each costs microseconds, even if nothing is in it."""
_ZSTD_WINDOW: Final = 23
"""log2 of 8 MiB, which no response may exceed (RFC 9659)."""
_GZIP: Final = 31
_ZLIB: Final = 15
_RAW: Final = -15


class DecodingError(Exception):
    """The data is not what its coding says. ``args[0]`` ends a sentence and quotes nothing of the data."""


class Decoder(Protocol):
    """One coding of one body."""

    @property
    def hungry(self) -> bool:
        """Whether all that was given is decoded."""
        ...

    @property
    def whole(self) -> bool:
        """Whether the data may end here."""
        ...

    def decode(self, data: bytes) -> bytes:
        """Take more data, or nothing as long as it is not ``hungry``; return what one step makes of it.

        Raises ``DecodingError``.
        """
        ...


class Inflater:
    """gzip, of one member or several, and deflate with the wrapper of zlib or without it."""

    __slots__ = ("_engine", "_held", "_members", "_name", "hungry", "whole")

    def __init__(self, name: str) -> None:
        self._name = name
        self._engine = zlib.decompressobj(_GZIP) if name == "gzip" else None
        self._held = b""
        self._members = 1
        self.hungry = True
        self.whole = False

    def decode(self, data: bytes) -> bytes:
        """See ``Decoder``."""
        data = self._held + data
        if not data and self.whole:
            self.hungry = True
            return b""
        engine = self._engine_for(data)
        try:
            made: bytes = engine.decompress(data, STEP)
        except zlib.error as error:
            msg = f"its {self._name} data is damaged"
            raise DecodingError(msg) from error
        self.whole = engine.eof
        self._held = engine.unused_data if engine.eof else engine.unconsumed_tail
        self.hungry = not self._held and len(made) < STEP
        return made

    def _engine_for(self, data: bytes) -> Any:
        if self._engine is None:
            # The nibble is 8 in every zlib header (RFC 1950, 2.2), and a raw stream that begins so would have to fill
            # bits that its writers leave empty (RFC 1951, 3.2.4). Many servers send the raw one.
            self._engine = zlib.decompressobj(_ZLIB if data[:1] and data[0] & 0x0F == 8 else _RAW)
        elif self.whole:
            self._members = _one_more(self._members, self._name, may_repeat=self._name == "gzip")
            self._engine = zlib.decompressobj(_GZIP)
        return self._engine


class BrotliDecoder:
    """br (RFC 7932)."""

    __slots__ = ("_engine", "_error", "hungry", "whole")

    def __init__(self) -> None:
        import brotli  # noqa: PLC0415

        self._engine = brotli.Decompressor()
        self._error: type[Exception] = brotli.error
        self.hungry = True
        self.whole = False

    def decode(self, data: bytes) -> bytes:
        """See ``Decoder``."""
        try:
            made: bytes = self._engine.process(data, output_buffer_limit=STEP)
        except self._error as error:
            msg = "its br data is damaged, or more follows it"
            raise DecodingError(msg) from error
        # The library knows of input that it holds; output that it holds shows in a step that filled its buffer.
        self.hungry = len(made) < STEP and self._engine.can_accept_more_data()
        self.whole = self._engine.is_finished()
        return made


class ZstdDecoder:
    """zstd (RFC 8878), of one frame or several."""

    __slots__ = ("_engine", "_frames", "_held", "_make", "_refused", "hungry", "whole")

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415
        else:
            from backports import zstd  # noqa: PLC0415

        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        self._make: Callable[[], Any] = partial(zstd.ZstdDecompressor, options=options)
        self._refused: type[Exception] = zstd.ZstdError
        self._engine = self._make()
        self._held = b""
        self._frames = 1
        self.hungry = True
        self.whole = False

    def decode(self, data: bytes) -> bytes:
        """See ``Decoder``."""
        if self.whole:
            data = self._held + data
            if not data:
                self.hungry = True
                return b""
            self._frames = _one_more(self._frames, "zstd", may_repeat=True)
            self._engine = self._make()
        try:
            made: bytes = self._engine.decompress(data, STEP)
        except self._refused as error:
            msg = "its zstd data is damaged, or asks for a window beyond 8 MiB"
            raise DecodingError(msg) from error
        self.whole = self._engine.eof
        self._held = self._engine.unused_data if self.whole else b""
        self.hungry = not self._held if self.whole else self._engine.needs_input
        return made


def _one_more(members: int, name: str, *, may_repeat: bool) -> int:
    if not may_repeat or members == _MEMBERS:
        msg = f"too much follows the end of its {name} data"
        raise DecodingError(msg)
    return members + 1


_MAKERS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": partial(Inflater, "gzip"),
    "x-gzip": partial(Inflater, "gzip"),
    "deflate": partial(Inflater, "deflate"),
    "br": BrotliDecoder,
    "zstd": ZstdDecoder,
}


def decoder(coding: str) -> Decoder | None:
    """Return a decoder of a coding, named in lower case (RFC 9110, 8.4.1); None: the coding is not known here."""
    make = _MAKERS.get(coding)
    return None if make is None else make()


def import_libraries() -> None:
    """Import the libraries of all codings before a response waits for them."""
    for make in _MAKERS.values():
        make()
