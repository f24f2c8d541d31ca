"""A server under test: started on its cores, waited for, ended by its id; its processor time and its memory."""

from __future__ import annotations

import resource
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 90.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.2
REST = 0.05
"""A server that takes a smaller part of a core than this has nothing to do."""
PAGE_KIB = resource.getpagesize() // 1024


class ServerError(Exception):
    """A server did not start, ended, or does not do its job; the text says so, with the end of its output."""


class Server:
    """One program and its children. Its standard output goes through a pipe to a reader that throws it away.

    A pipe, because that is where a container's log goes: lines have their price there. ``cpus`` is where it may run,
    ``reader_cpus`` where its reader may.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        cpus: Sequence[int],
        reader_cpus: Sequence[int],
        said: Path,
    ) -> None:
        self.name = name
        self.port = port
        self._said = said
        with said.open("wb") as errors:
            self._process = subprocess.Popen(
                [*pinned(cpus), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                process_group=0,
            )
        with self._process.stdout or said.open("rb") as output:
            self._reader = subprocess.Popen(
                [*pinned(reader_cpus), "cat"], stdin=output, stdout=subprocess.DEVNULL, process_group=0
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Wait until it listens. Raises ``ServerError``."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise self.trouble("does not listen")

    def settle(self) -> None:
        """Wait until it rests: a large configuration is worked on for a while after it is in force."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(LOOK_SECONDS)
            if self.cpu_seconds() - before < REST * LOOK_SECONDS:
                return

    def trouble(self, what: str) -> ServerError:
        """Return an error that ends with what the server said."""
        said = "\n".join(self._said.read_text(errors="replace").splitlines()[-20:])
        return ServerError(f"{self.name} {what}. It said: {said or '(nothing)'}")

    def stop(self) -> None:
        """End it, and its reader with it."""
        for process in (self._process, self._reader):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the program and all its descendants, parents first."""
        return tuple(family(self._process.pid))

    @property
    def workers(self) -> tuple[int, ...]:
        """Of those that carry requests: the program's children, or the program itself where it has none."""
        first, *others = self.process_ids
        return tuple(others) or (first,)

    def cpu_seconds(self) -> float:
        """Return the time that all threads of all its processes have had on a processor."""
        return sum(cpu_seconds(process) for process in self.process_ids)

    def resident_kib(self) -> int:
        """Return the resident memory of the processes that carry requests."""
        return sum(resident_kib(process) for process in self.workers)

    def whole_resident_kib(self) -> int:
        """Return the resident memory of all its processes."""
        return sum(resident_kib(process) for process in self.process_ids)


def pinned(cpus: Sequence[int]) -> tuple[str, ...]:
    """Return the words that make a command run on some cores; the process id stays that of the command."""
    return "taskset", "--cpu-list", ",".join(map(str, cpus))


def family(process: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield process
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def cpu_seconds(process: int) -> float:
    """Return the time that the threads of one process have had on a processor, in user and kernel mode."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def resident_kib(process: int) -> int:
    """Return the resident memory of one process."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE_KIB
