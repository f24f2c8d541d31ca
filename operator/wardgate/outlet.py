"""Lines on their way to a reader who may stand still: a pipe that nobody empties, a terminal under Ctrl-S.

A write to such a reader blocks, and whoever writes stands still with it. So lines are handed to a thread, which alone
waits. The rest that it has not yet written is bounded in bytes: beyond that the oldest lines go, are counted, and leave
a notice in their place. Lines that are lost are the price; the process, its requests and its memory are not.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from io import TextIOBase
from typing import Final, TextIO

from wardgate.printable import printable, printable_output

WRITE_BYTES: Final = min(select.PIPE_BUF, 4096)
"""A write of whole lines up to this size is not torn by another process that writes to the same pipe."""
_MESSAGES_HELD: Final = 1024 * 1024
_LONGEST_LINE: Final = 64 * 1024


class Outlet:
    """``write`` takes whole lines, may block, and is called on the outlet's thread only.

    ``limit``: bytes that may wait. ``notice`` makes the line that stands for so many lost ones.
    """

    def __init__(self, *, write: Callable[[bytes], object], limit: int, notice: Callable[[int], bytes]) -> None:
        self._write = write
        self._limit = limit
        self._notice = notice
        self._lock = threading.Lock()
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._held = 0
        self._untold = 0
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="outlet", daemon=True)
        self.dropped = 0
        """Lines lost so far."""

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, data: bytes, *, lines: int = 1) -> None:
        """Take so many lines with their ends; never blocks. They are written, or lost, together.

        Written after the next ``wake``.
        """
        with self._lock:
            self._waiting.append((data, lines))
            self._held += len(data)
            while self._held > self._limit:
                lost, count = self._waiting.popleft()
                self._held -= len(lost)
                self._lose(count)

    def wake(self) -> None:
        """Have written what waits; never blocks."""
        self._wake.set()

    def close(self, *, within: float) -> None:
        """Write what is left, for at most so many seconds. A thread that is stuck ends with the process."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=within)

    def _run(self) -> None:
        while True:
            # Read before the lines are: what was put before the end is written.
            closing = self._closing
            self._write_all()
            if closing:
                return
            self._wake.wait()
            self._wake.clear()

    def _write_all(self) -> None:
        while taken := self._take():
            try:
                self._write(b"".join(data for data, _ in taken))
            except OSError:
                # The reader is gone; the process goes on.
                with self._lock:
                    self._lose(sum(lines for _, lines in taken))

    def _take(self) -> list[tuple[bytes, int]]:
        """Return lines for one write, the notice of lost ones first; lines above ``WRITE_BYTES`` go alone."""
        with self._lock:
            if not self._waiting:
                return []
            taken = [(self._notice(self._untold), 1)] if self._untold else []
            self._untold = 0
            size = sum(len(data) for data, _ in taken)
            while self._waiting and (not taken or size + len(self._waiting[0][0]) <= WRITE_BYTES):
                data, _ = self._waiting[0]
                taken.append(self._waiting.popleft())
                size += len(data)
                self._held -= len(data)
            return taken

    def _lose(self, count: int) -> None:
        self.dropped += count
        self._untold += count


class OutletStream(TextIOBase):
    """A text stream in the place of ``stream``: what is written goes to an outlet, line by line.

    ``shown`` makes of a line what may be shown of it.
    """

    def __init__(self, outlet: Outlet, stream: TextIO, *, shown: Callable[[str], str]) -> None:
        super().__init__()
        self._shown = shown
        self._outlet = outlet
        self._stream = stream
        self._begun = ""
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """Lines lost so far."""
        return self._outlet.dropped

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's own."""
        return self._stream.encoding or "utf-8"

    def write(self, text: str) -> int:
        """Take text; it is passed on as soon as its line ends."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            if len(self._begun) > _LONGEST_LINE:
                lines.append(self._begun)
                self._begun = ""
            for line in lines:
                self._outlet.put(f"{self._shown(line)}\n".encode(self.encoding, "backslashreplace"))
        self._outlet.wake()
        return len(text)

    def finish(self) -> None:
        """Pass on the line that has not ended, if there is one: nothing more will come."""
        if self._begun:
            self.write("\n")

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Lines can be written at any time."""
        return True

    def fileno(self) -> int:
        """The stream's descriptor."""
        return self._stream.fileno()


@contextlib.contextmanager
def unblocked_standard_error(*, coloured: bool) -> Iterator[None]:
    """For the time of the block no write to ``sys.stderr`` waits for its reader, and all of it may be shown.

    ``coloured``: whether changes of colour are our own. Who writes strangers' text among them escapes it.
    """
    stream = sys.stderr
    outlet = Outlet(write=_writer(stream), limit=_MESSAGES_HELD, notice=_lost_messages)
    outlet.start()
    unblocked = sys.stderr = OutletStream(outlet, stream, shown=printable_output if coloured else printable)
    try:
        yield
    finally:
        sys.stderr = stream
        unblocked.finish()
        outlet.close(within=1.0)


def lost_messages() -> int:
    """Lines of this process's standard error that nobody read fast enough."""
    return sys.stderr.dropped if isinstance(sys.stderr, OutletStream) else 0


def write_whole(descriptor: int, data: bytes) -> None:
    """Write all of ``data`` to a file descriptor. Raises ``OSError``."""
    while data:
        data = data[os.write(descriptor, data) :]


def _writer(stream: TextIO) -> Callable[[bytes], object]:
    """Past the stream's buffer: a thread that is stuck in it would stop the interpreter from ending."""
    try:
        return partial(write_whole, stream.fileno())
    except OSError:
        return stream.buffer.write


def _lost_messages(count: int) -> bytes:
    return f"warning: {count} lines are missing here, because nobody read them fast enough.\n".encode()
