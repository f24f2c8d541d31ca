"""Where a worker's time goes: the functions of Python by their own time, as py-spy samples them under load.

The time of a call into C, such as a write to a socket, is that of the function that makes it. Threads that hold no
interpreter lock wait, and do not count.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Final

from benchmarks.gateways.process import Server, pinned
from benchmarks.gateways.stage import Stage

SECONDS: Final = 3
RATE: Final = 500
"""Samples a second."""
SHOWN: Final = 8
GRACE_SECONDS: Final = 30.0


def taken(stage: Stage, running: Server, load: Callable[..., object]) -> str:
    """Return a sentence on a worker under ``load``, which takes ``seconds``."""
    worker = running.workers[-1]
    file = stage.folder / f"profile-{worker}.txt"
    sampling = [
        "--pid",
        str(worker),
        "--duration",
        str(SECONDS),
        "--rate",
        str(RATE),
        "--gil",
        "--function",
        "--format",
        "raw",
    ]
    command = [*pinned(stage.cores.load), str(stage.tools.path("py-spy")), "record", *sampling, "--output", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as profiler:
        load(seconds=SECONDS + 1)
        said, _ = profiler.communicate(timeout=GRACE_SECONDS)
    if profiler.returncode:
        return f"no profile: {' '.join(said.split())[-200:]}"
    return described(file.read_text())


def described(raw: str) -> str:
    """Describe what py-spy wrote: lines with the frames of a stack, outermost first, and how often it was seen."""
    own: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        own[_named(stack.rpartition(";")[2])] += int(count)
    every = own.total() or 1
    shares = (f"`{function}` {count / every:.0%}" for function, count in own.most_common(SHOWN))
    return f"own time: {', '.join(shares)}."


def _named(frame: str) -> str:
    """Turn ``write (wardgate/proxy/io/outbox.py:12)`` into ``outbox.write``."""
    function, _, place = frame.partition(" (")
    file = place.rpartition("/")[2]
    return f"{file.partition('.py')[0]}.{function}" if ".py" in file else function
