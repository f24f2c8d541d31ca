"""The machine: which cores the gateways and the load get, and how a report names what was measured."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

QUIET = 0.05
"""The part of the machine that others may take without spoiling the figures."""


@dataclass(frozen=True, slots=True)
class Cores:
    """``gateway`` is a core for the server under test alone; ``load`` are those of callers and upstreams."""

    gateway: tuple[int, ...]
    load: tuple[int, ...]
    every: tuple[int, ...]


def cores() -> Cores:
    """Share out the cores that this process may use; a single one is everybody's."""
    every = tuple(sorted(os.sched_getaffinity(0)))
    return Cores(every[:1], every[1:] or every, every)


class Others:
    """The processor time of whoever is not this process and its children, from the start on, stolen time included."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._before = _everybodys_seconds() - _own_seconds()

    def share(self) -> float:
        """Return it as a part of all cores' time. The children must have ended."""
        spent = _everybodys_seconds() - _own_seconds() - self._before
        return max(0.0, spent / (time.monotonic() - self._began) / (os.cpu_count() or 1))


def described(versions: Mapping[str, str], others: float) -> list[str]:
    """Return lines on when and where it was measured, and what; ``others``: the part of the machine they took."""
    every = cores().every
    verdict = "" if others <= QUIET else " **The machine was not quiet: these figures are not to be quoted.**"
    return [
        f"measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; meanwhile others took {others:.0%} of the machine.{verdict}",
        f"{len(every)} cores of {_processor()}, Linux {platform.release()}; the gateway has one, the load the others",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]


def first_line(command: Sequence[str]) -> str:
    """Return the first line that a program says of its version, on whichever stream."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return next((line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()), "unknown")


def _everybodys_seconds() -> float:
    """Return the time that the cores were busy since the machine started, without waiting and idling."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, _first_of("/proc/stat").split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _first_of(path: str) -> str:
    return Path(path).read_text().partition("\n")[0]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown model")


def commit(checkout: Path) -> str:
    """Return the commit of a checkout, ``-dirty`` where files differ from it; ``unknown`` where git knows nothing."""
    try:
        ended = subprocess.run(
            ["git", "-C", str(checkout), "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return "unknown"
    return ended.stdout.strip() or "unknown"


def allow_files(count: int) -> None:
    """Let this process open so many files, as far as its hard limit goes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard) if hard >= 0 else count, hard))
