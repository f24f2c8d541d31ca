"""Asking processes with the probe in them, and the kernel about them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROBE = Path(__file__).parent / "probe"
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Rest:
    """A process that has nothing to do: modules of ours, all modules, and resident memory in KiB."""

    own_modules: int
    modules: int
    resident: int


class Probes:
    """``folder`` is where orders and answers are exchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def injected(self) -> Iterator[None]:
        """Every process that is started meanwhile has the probe, and so have its children."""
        wanted = {"PYTHONPATH": str(PROBE), "WARDGATE_HOUSE_FOLDER": str(self._folder)}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def at_rest(self, process: int) -> Rest:
        """Tell what a process has loaded and what it holds. Memory is read first: the answer is not part of it."""
        resident = resident_memory(process)
        modules = [str(name) for name in self._ask("modules", process)]
        return Rest(sum(name.partition(".")[0] == "wardgate" for name in modules), len(modules), resident)

    def record(self, processes: Sequence[int]) -> None:
        """Let them write down their calls from now on."""
        for process in processes:
            self._ask("record", process)

    def calls(self, process: int, *, until: float) -> list[str]:
        """End the record; give the file of each call that the process had made by then (monotonic), in order."""
        return [file for at, file in self._ask("calls", process) if at <= until]

    def _ask(self, order: str, process: int) -> list[Any]:
        answer = self._folder / f"{process}.json"
        answer.unlink(missing_ok=True)
        (self._folder / "order").write_text(order, encoding="ascii")
        os.kill(process, signal.SIGUSR1)
        deadline = time.monotonic() + SECONDS
        while not answer.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Process {process} does not answer.")
            time.sleep(0.005)
        answered = json.loads(answer.read_text(encoding="utf-8"))
        assert isinstance(answered, list)
        return answered


def resident_memory(process: int) -> int:
    """``VmRSS``, in KiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def worker_of(supervisor: int) -> int:
    """The one process that a supervisor with one worker has started."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text(encoding="ascii").split()
    (worker,) = (int(child) for child in children if b"tracker" not in Path(f"/proc/{child}/cmdline").read_bytes())
    return worker
