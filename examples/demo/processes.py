"""A program of ours that runs beside us: started, read line by line, waited for, and ended by its own id.

Nothing here kills by name, and every wait has an end.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

STOP_SECONDS = 10.0
"""After SIGTERM; a program that is still there then is killed."""


class NotServingError(Exception):
    """The program ended, or said nothing of what was waited for, within its time. The message holds its output."""


class Program:
    """One child process. Its standard output and error are one stream of lines, kept and handed to ``on_line``.

    ``on_end`` is called once, from another thread, when it has said its last. It is in a process group of its own, so
    that a Ctrl-C reaches only us and we end it in order.
    """

    def __init__(
        self,
        *command: str,
        on_line: Callable[[str], None] | None = None,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self.command = command
        self._on_line = on_line
        self._on_end = on_end
        self._lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                process_group=0,
            )
        except OSError as error:
            raise NotServingError(f"{command[0]} cannot be run: {error.strerror}.") from error
        self._reader = threading.Thread(target=self._read, name=f"output of {command[0]}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int:
        """Of the program."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def lines(self) -> Sequence[str]:
        """Everything it has said so far."""
        with self._news:
            return tuple(self._lines)

    def wait_for(self, *words: str, seconds: float, after: int = 0) -> str:
        """Wait for a line that holds all ``words``; the first ``after`` lines do not count."""
        return self.wait_until(lambda line: all(word in line for word in words), seconds=seconds, after=after)

    def wait_until(self, wanted: Callable[[str], bool], *, seconds: float, after: int = 0) -> str:
        """Wait for a line; raise ``NotServingError`` when the program ends or the time is up."""
        deadline = time.monotonic() + seconds
        with self._news:
            while True:
                for line in self._lines[after:]:
                    if wanted(line):
                        return line
                after = max(after, len(self._lines))
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise NotServingError(self._account(seconds))
                self._news.wait(left)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this one process."""
        self._process.send_signal(number)

    def wait(self, *, seconds: float) -> int:
        """Wait for the program's own end and give its exit status."""
        status = self._process.wait(seconds)
        self._reader.join(seconds)
        return status

    def stop(self) -> int:
        """End it and give its exit status; a program that has already ended is left as it is."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        status = self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return status

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                self._take(line.rstrip("\n"))
        with self._news:
            self._ended = True
            self._news.notify_all()
        if self._on_end is not None:
            self._on_end()

    def _take(self, line: str) -> None:
        if self._on_line is not None:
            self._on_line(line)
        with self._news:
            self._lines.append(line)
            self._news.notify_all()

    def _account(self, seconds: float) -> str:
        why = "has ended" if self._ended else f"was not ready within {seconds:g} s"
        said = "\n".join(self._lines[-40:]) or "(nothing)"
        return f"{' '.join(self.command)} {why}. It said:\n{said}"


def python(script: str, *arguments: str) -> tuple[str, ...]:
    """Give the command that runs a script, or a folder with a ``__main__.py``, with this interpreter, unbuffered."""
    return (sys.executable, "-u", script, *arguments)
