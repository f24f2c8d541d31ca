"""wrk: so many connections, each sending its next request when the last one is answered."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.gateways.load.scripts import RESULT
from benchmarks.gateways.process import pinned

GRACE_SECONDS = 30.0


class LoadError(Exception):
    """wrk ended without a result, or responses were not as they have to be; the text says so."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One run. ``p50`` and ``p99`` are microseconds from a request to its response; ``refused``: 4xx and 5xx."""

    requests: int
    microseconds: int
    refused: int
    broken: int
    p50: int
    p99: int


class Load:
    """A running wrk. Used as a context, it ends with it."""

    def __init__(self, url: str, script: str, *, connections: int, seconds: int, cpus: Sequence[int]) -> None:
        self._stack = ExitStack()
        self._seconds = seconds
        file = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wardgate-wrk-"))) / "load.lua"
        file.write_text(script)
        sizes = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
        command = [*pinned(cpus), "wrk", *sizes, "--timeout", "20s", "--latency", "--script", str(file), url]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._stack.callback(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def result(self, *, all_refused: bool = False) -> Burst:
        """Wait for the end. Raises ``LoadError`` unless all responses were good ones, or all refusals."""
        output, _ = self._process.communicate(timeout=self._seconds + GRACE_SECONDS)
        return checked(read(output), all_refused=all_refused)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(GRACE_SECONDS)


def burst(
    url: str, script: str, *, connections: int, seconds: int, cpus: Sequence[int], all_refused: bool = False
) -> Burst:
    """Run wrk once."""
    with Load(url, script, connections=connections, seconds=seconds, cpus=cpus) as load:
        return load.result(all_refused=all_refused)


def read(output: str) -> Burst:
    """Read what wrk printed. Raises ``LoadError``."""
    line = next((line for line in output.splitlines() if line.startswith(RESULT)), None)
    if line is None:
        raise LoadError(f"wrk gave no result; it said: {output.strip()[-400:] or '(nothing)'}")
    return Burst(**json.loads(line.removeprefix(RESULT)))


def checked(burst: Burst, *, all_refused: bool) -> Burst:
    """Return the burst if its responses were as they have to be. Raises ``LoadError``."""
    wrong = burst.requests - burst.refused if all_refused else burst.refused
    if burst.broken or wrong or not burst.requests:
        msg = f"Of {burst.requests} requests {wrong} got a wrong status and {burst.broken} none."
        raise LoadError(msg)
    return burst
