"""Messages on the pipe between supervisor and worker: a kind, a small JSON header, and bytes. No I/O in here.

A frame is two big-endian 32-bit lengths (head, payload), then a JSON object with ``kind`` and ``header``, then the
payload as it is, so that a configuration of many megabytes is never written as JSON text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wardgate.wire.errors import FrameError, WireError
from wardgate.wire.text import dump, parse

MAX_FRAME: Final = 256 * 1024 * 1024
"""Bytes of head and payload together."""

_LENGTHS = struct.Struct("!II")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. The payload may hold credentials and is never printed."""

    kind: str
    header: Mapping[str, object]
    payload: bytes = field(default=b"", repr=False)


def pack(kind: str, header: Mapping[str, object], *, payload: bytes = b"") -> bytes:
    """Write a frame. Raises ``FrameError`` above ``MAX_FRAME``, ``EncodeError`` for a header that is not JSON."""
    head = dump({"header": dict(header), "kind": kind})
    if len(head) + len(payload) > MAX_FRAME:
        msg = f"A frame of {len(head) + len(payload)} bytes is above the bound of {MAX_FRAME}."
        raise FrameError(msg)
    return b"".join((_LENGTHS.pack(len(head), len(payload)), head, payload))


class Unpacker:
    """Collects bytes in pieces of any size. After a ``FrameError`` the stream is lost: close it."""

    def __init__(self, *, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes, return the frames that are complete now."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        head, payload = _LENGTHS.unpack_from(self._buffer)
        if head + payload > self._limit:
            msg = f"A frame of {head + payload} bytes is above the bound of {self._limit}."
            raise FrameError(msg)
        end = _LENGTHS.size + head + payload
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            frame = _frame(bytes(view[_LENGTHS.size : end - payload]), bytes(view[end - payload : end]))
        del self._buffer[:end]
        return frame


def _frame(head: bytes, payload: bytes) -> Frame:
    match _head(head):
        case {"kind": str(kind), "header": dict(header), **rest} if not rest:
            return Frame(kind=kind, header=header, payload=payload)
    msg = "The head of a frame is not an object of kind and header."
    raise FrameError(msg)


def _head(head: bytes) -> object:
    try:
        return parse(head)
    except WireError as error:
        problem = str(error)
    raise FrameError(problem)
