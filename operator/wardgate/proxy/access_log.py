"""One JSON line a request on standard output; never a query, a header's value or a key (invariant 7).

Lines are collected and written by a thread of their own: whoever reads them slowly costs log lines, which are counted,
and no request. A write holds whole lines, and on a pipe at most PIPE_BUF bytes, so that workers who share standard
output do not tear each other's lines.
"""

from __future__ import annotations

import json
import os
import queue
import select
import threading
from collections.abc import Callable, Iterable

_WRITE_BYTES = min(select.PIPE_BUF, 4096)
_QUEUED_BATCHES = 256


class AccessLog:
    """``write`` may block; it is called on the writer's thread only."""

    def __init__(self, *, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._lines: list[bytes] = []
        self._queue: queue.Queue[list[bytes] | None] = queue.Queue(maxsize=_QUEUED_BATCHES)
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self.dropped = 0
        """Lines lost because nobody read them fast enough."""

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def add(self, entry: dict[str, object]) -> None:
        """Take one request's entry; it is written with the next ``flush``."""
        self._lines.append(json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")

    def flush(self) -> None:
        """Hand over what has been collected; never blocks."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            self._queue.put_nowait(lines)
        except queue.Full:
            self.dropped += len(lines)

    def close(self) -> None:
        """Write what is left, for at most a second, and end the writer."""
        self.flush()
        try:
            self._queue.put(None, timeout=1.0)
        except queue.Full:
            return
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        while (lines := self._queue.get()) is not None:
            for batch in batches(lines, limit=_WRITE_BYTES):
                try:
                    self._write(batch)
                except OSError:
                    # Standard output is gone; requests go on.
                    self.dropped += batch.count(b"\n")


def batches(lines: Iterable[bytes], *, limit: int) -> Iterable[bytes]:
    """Join lines into writes of at most ``limit`` bytes; a longer line goes alone."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and size + len(line) > limit:
            yield b"".join(batch)
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield b"".join(batch)


def standard_output(data: bytes) -> None:
    """Write all of ``data`` to file descriptor 1."""
    while data:
        data = data[os.write(1, data) :]
