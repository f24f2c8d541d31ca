"""One server process of ours: started in a group of its own, frozen, thawed, killed, and gone when we are gone.

Only processes that were started here are ever signalled, by their id. What a process says goes to a file.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

KILL_SECONDS = 10.0
GUARD = "read -r line; kill -s KILL -- -$0"
"""A shell that waits on a pipe which only we hold open: when we die, however suddenly, it ends the process's group."""
GO_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "600MiB"}
"""Go collects its garbage a quarter as often, up to that much memory. The servers take a fifth of a start less CPU."""


class DaemonError(Exception):
    """A server process ended, or was not ready in time. The message holds the end of what it said."""


class Daemon:
    """A child that is to run until it is told otherwise."""

    def __init__(self, *command: str, log: Path) -> None:
        self.log = log
        self._name = Path(command[0]).name
        with log.open("ab") as output:
            self._process = _spawn(command, stdin=subprocess.DEVNULL, output=output.fileno())
        self._guard = _spawn(
            ("sh", "-c", GUARD, str(self._process.pid)), stdin=subprocess.PIPE, output=subprocess.DEVNULL
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended; a frozen one has not."""
        return self._process.poll() is None

    def freeze(self) -> None:
        """Let it stand still: its sockets stay open and nobody answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self, *, seconds: float) -> None:
        """End it in order; kill it when it takes longer."""
        if self.is_running:
            self._process.terminate()
            self.thaw()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End it at once. Nothing happens to one that has ended."""
        self._guard.kill()
        self._guard.wait(KILL_SECONDS)
        if self._guard.stdin is not None:
            self._guard.stdin.close()
        if self.is_running:
            self._process.kill()
            self._process.wait(KILL_SECONDS)

    def error(self, what: str) -> DaemonError:
        """Give the error that says ``what`` and shows the last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:]
        return DaemonError(f"{self._name} {what}. The end of {self.log}:\n" + "\n".join(lines))

    def resident_kib(self) -> int:
        """Its resident memory, where the system has ``/proc``."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def _spawn(command: Sequence[str], *, stdin: int, output: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, **GO_MEMORY}
    return subprocess.Popen(command, stdin=stdin, stdout=output, stderr=output, process_group=0, env=environment)
