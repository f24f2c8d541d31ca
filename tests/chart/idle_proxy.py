"""A proxy of an environment, started as a pod starts one, until it says the word that is waited for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

END_SECONDS = 60.0
NO_SERVER = "https://127.0.0.1:9"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class IdleProxy:
    """Its supervisor and its workers, by their process ids."""

    supervisor: int
    workers: tuple[int, ...]
    cpu_seconds: float
    """Of the supervisor, until it said the word."""


@contextmanager
def idle_proxy(program: Path, *options: str, word: str, variables: Mapping[str, str]) -> Iterator[IdleProxy]:
    """Start a proxy with one worker, and end it."""
    own = ("--workers", "1", "--bind", "127.0.0.1", "--admin", "none")
    command = [str(program), "proxy", *own, *options]
    with subprocess.Popen(command, env=variables, cwd="/", stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        try:
            said = ""
            while word not in said:
                said = started.stderr.readline()
                assert said, f"{command} ended without saying: {word}"
            cpu = _cpu_seconds(started.pid)
            children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text(encoding="ascii")
            yield IdleProxy(started.pid, tuple(map(int, children.split())), cpu)
        finally:
            started.send_signal(signal.SIGINT)
            started.wait(END_SECONDS)


def kubeconfig_of_nobody(folder: Path) -> Path:
    """Write a kubeconfig of a server that is not there."""
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": NO_SERVER}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
