"""The start of a proxy with one worker, from the exec of its process to its first answer: CPU and wall time.

Two starts: ``wardgate proxy --config`` from a bundle, and ``wardgate proxy --cluster`` from the config that it keeps on
a volume, as a new container does while the API server is away. CPU is the sum of both processes, which share one
pinned core; the wall time means something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chart.idle_proxy import kubeconfig_of_nobody
from tests.cluster.ports import free_port
from tests.kube.published import NAMESPACE, PORT, RELEASE, bundle_of_routes
from wardgate.kube.follow.revision_file import KeptRevision, RevisionFile
from wardgate.standalone.handover.bundle_file import write_bundle

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LIMIT = 60.0
"""Seconds for a start."""
BUNDLE = bundle_of_routes(10, keys=10)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the first answer."""

    wall: float
    supervisor: float
    worker: float


def measure(command: Sequence[str], port: int) -> Start:
    """Start a proxy, ask it until it answers, and end it."""
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        try:
            while not _answers(port):
                assert time.monotonic() - began < LIMIT, "The proxy does not answer."
                time.sleep(0.002)
            wall = time.monotonic() - began
            children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text(encoding="ascii").split()
            return Start(wall, _cpu(started.pid), sum(_cpu(int(child)) for child in children))
        finally:
            started.send_signal(signal.SIGINT)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
            connection.sendall(REQUEST)
            return connection.recv(100).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def _cpu(process: int) -> float:
    """CPU seconds of all threads of a process."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text(encoding="ascii").split()[0]) for thread in threads) / 1e9


def commands(program: Path, folder: Path, *, port: int) -> dict[str, list[str]]:
    """The commands by name; ``folder`` is for what they read."""
    own = ["--port", f"{PORT}={port}", "--workers", "1", "--bind", "127.0.0.1", "--admin", "none", "--no-access-log"]
    bundle = folder / "bundle.json"
    write_bundle(bundle, BUNDLE)
    kept = KeptRevision(BUNDLE, 1, "2026-01-01T00:00:00Z", time.time())
    RevisionFile(folder, release=RELEASE, namespace=NAMESPACE).write(kept)
    nobody = ["--kubeconfig", str(kubeconfig_of_nobody(folder)), "--cache-dir", str(folder)]
    return {
        "from a bundle": [str(program), "proxy", "--config", str(bundle), *own],
        "from the volume": [str(program), "proxy", "--cluster", *nobody, *own],
    }


def main() -> None:
    """Print the best of some starts of each kind, in milliseconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=Path(".venv/bin/wardgate"))
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--core", type=int, help="pin everything to this core")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        for name, command in commands(options.program, Path(folder), port=port).items():
            found = [measure(command, port) for _ in range(options.starts)]
            wall, supervisor, worker = (
                1000 * min(each)
                for each in ([s.wall for s in found], [s.supervisor for s in found], [s.worker for s in found])
            )
            print(f"{name}: CPU {supervisor + worker:.0f} ms ({supervisor:.0f} + {worker:.0f}), wall {wall:.0f} ms")


if __name__ == "__main__":
    main()
