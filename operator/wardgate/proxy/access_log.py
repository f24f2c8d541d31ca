"""One JSON line a request on standard output; never a query, a header's value or a key (invariant 7).

Whoever reads the lines slowly costs log lines, which are counted, and no request and no memory (``outlet``). A line is
short enough to be written whole: workers who share standard output do not tear each other's lines.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from wardgate.outlet import WRITE_BYTES, Outlet, write_whole

PATH_BYTES: Final = 1024
METHOD_BYTES: Final = 64
_FIELD_BYTES: Final = 160
_CUT: Final = "…"
"""Ends a text that was cut. No byte of a request reads as this character."""


class AccessLog:
    """``write`` may block; it is called on a thread of its own. ``limit``: bytes of lines that may wait for it."""

    def __init__(self, *, write: Callable[[bytes], object], limit: int) -> None:
        self._outlet = Outlet(write=write, limit=limit, notice=_lost_lines)

    @property
    def dropped(self) -> int:
        """Lines lost because nobody read them fast enough."""
        return self._outlet.dropped

    def start(self) -> None:
        """Start the writer."""
        self._outlet.start()

    def add(self, entry: Mapping[str, object]) -> None:
        """Take one request's entry; it is written with the next ``flush``."""
        line = _line(entry)
        self._outlet.put(line if len(line) <= WRITE_BYTES else _line(_narrowed(entry)))

    def flush(self) -> None:
        """Have written what has been collected; never blocks."""
        self._outlet.wake()

    def close(self) -> None:
        """Write what is left, for at most a second, and end the writer."""
        self._outlet.close(within=1.0)


def shortened(text: str, limit: int) -> str:
    """Cut a text of Latin-1 that JSON would write with more than ``limit`` bytes; every byte above ASCII takes six."""
    if len(text) * 6 <= limit or (len(text) <= limit and 5 * len(text.encode()) - 4 * len(text) <= limit):
        return text
    return text[: limit - 6 if text.isascii() else limit // 6 - 1] + _CUT


def _narrowed(entry: Mapping[str, object]) -> dict[str, object]:
    return {
        name: shortened(value, PATH_BYTES if name == "path" else _FIELD_BYTES) if isinstance(value, str) else value
        for name, value in entry.items()
    }


def _line(entry: Mapping[str, object]) -> bytes:
    # JSON escapes every control character but DEL.
    text = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).replace("\x7f", "\\u007f")
    return f"{text}\n".encode()


def _lost_lines(count: int) -> bytes:
    return _line({"time": round(time.time(), 3), "lines_dropped": count})


standard_output: Final = partial(write_whole, 1)
"""Writes to file descriptor 1."""
