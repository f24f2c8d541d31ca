"""The access log on standard output: lines are collected, and written many at a time by a thread of its own.

Whoever reads the lines slowly costs log lines, which are counted, and no request and no memory (``outlet``). A write
holds whole lines and is short enough not to be torn by other workers who share standard output.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from wardgate.outlet import WRITE_BYTES, Outlet, write_whole
from wardgate.proxy.log_line import lost_lines


class AccessLog:
    """``write`` may block; it is called on a thread of its own. ``limit``: bytes of lines that may wait for it."""

    def __init__(self, *, write: Callable[[bytes], object], limit: int) -> None:
        self._outlet = Outlet(write=write, limit=limit, notice=_lost_lines)
        self._lines: list[str] = []
        self._size = 0

    @property
    def dropped(self) -> int:
        """Lines lost because nobody read them fast enough."""
        return self._outlet.dropped

    def start(self) -> None:
        """Start the writer."""
        self._outlet.start()

    def add(self, line: str) -> None:
        """Take a line of ASCII with its end; it is written with the next ``flush``, or before."""
        self._size += len(line)
        if self._size > WRITE_BYTES:
            self._hand_over()
            self._size = len(line)
        self._lines.append(line)

    def flush(self) -> None:
        """Have written what has been collected; never blocks."""
        self._hand_over()
        self._outlet.wake()

    def close(self) -> None:
        """Write what is left, for at most a second, and end the writer."""
        self._hand_over()
        self._outlet.close(within=1.0)

    def _hand_over(self) -> None:
        if self._lines:
            self._outlet.put("".join(self._lines).encode(), lines=len(self._lines))
            self._lines.clear()
            self._size = 0


def _lost_lines(count: int) -> bytes:
    return lost_lines(count, now=time.time()).encode()


standard_output: Final = partial(write_whole, 1)
"""Writes to file descriptor 1."""
