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
from wardgate.proxy.log_line import Entry, LogLines, lost_lines
from wardgate.proxy.request_record import RequestRecord

_TOGETHER: Final = 32
"""Requests whose lines are made in one go: it takes a twentieth of a millisecond, and costs each of them less."""


class AccessLog:
    """``write`` may block; it is called on a thread of its own. ``limit``: bytes of lines that may wait for it."""

    def __init__(self, *, write: Callable[[bytes], object], limit: int) -> None:
        self._outlet = Outlet(write=partial(_write_lines, write), limit=limit, notice=_lost_lines)
        self._wake_at = limit // 4
        self._unwoken = 0
        self._lines = LogLines()
        self._entries: list[Entry] = []

    @property
    def dropped(self) -> int:
        """Lines lost because nobody read them fast enough."""
        return self._outlet.dropped

    def start(self) -> None:
        """Start the writer."""
        self._outlet.start()

    def add(self, record: RequestRecord) -> None:
        """Take a settled request; its line is written with the next ``flush``, or before."""
        self.put(self._lines.entry(record))

    def put(self, entry: Entry) -> None:
        """Take a request of which there is no record."""
        self._entries.append(entry)
        if len(self._entries) >= _TOGETHER:
            self._hand_over()

    def flush(self) -> None:
        """Have written what has been collected; never blocks."""
        self._hand_over()
        self._wake()

    def close(self) -> None:
        """Write what is left, for at most a second, and end the writer."""
        self._hand_over()
        self._outlet.close(within=1.0)

    def _hand_over(self) -> None:
        if not self._entries:
            return
        entries, self._entries = self._entries, []
        data = "".join(self._lines.of(entries)).encode()
        self._outlet.put(data, lines=len(entries))
        self._unwoken += len(data)
        if self._unwoken >= self._wake_at:
            self._wake()  # or lines would be lost for no other reason than that nobody has begun to write

    def _wake(self) -> None:
        self._unwoken = 0
        self._outlet.wake()


def _write_lines(write: Callable[[bytes], object], data: bytes) -> None:
    """Write whole lines, as many at a time as no other process can tear."""
    at = 0
    while at < len(data):
        # No line is longer than a write, so one of them ends within.
        end = data.rfind(b"\n", at, at + WRITE_BYTES) + 1
        write(data[at:end])
        at = end


def _lost_lines(count: int) -> bytes:
    return lost_lines(count, now=time.time()).encode()


standard_output: Final = partial(write_whole, 1)
"""Writes to file descriptor 1."""
