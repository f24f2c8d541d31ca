"""The processes of a checkout, started as an installation would: what each is at rest, and how far one thing travels.

``wardgate run`` serves the lab to a request; an operator and a proxy at a real API server serve a changed key Secret.
"""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.house.passages import Passage, passage
from benchmarks.house.probing import Probes, Rest, worker_of
from benchmarks.propagation import NAMESPACE, Caller, Size, fill, key_secret
from benchmarks.requests import ANSWER, BODY, START_SECONDS, lab_in_clear, same
from examples.demo.processes import Program
from tests.chart.helm import Helm
from tests.cluster.binaries import control_plane_binaries, helm_binary, to_stderr
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.ports import free_port
from tests.e2e.installation import Installation

REST_SECONDS = 3.0
"""After its start a process has nothing more to do."""
WARM = 20
SAMPLES = 9
"""Of these journeys the one with the fewest calls counts: a timer's work may fall into any of the others."""
AFTER_REQUEST, AFTER_KEY = 0.02, 0.5
"""Seconds in which the last process on the way ends its work; the shorter, the fewer ticks of its timers fall in."""
PUBLISHED_SECONDS = 20.0
POLL_SECONDS = 0.002
KEY, OTHER_KEY = "key-7", "key-7-changed"
SMALL = Size(routes=10, policies=10, keys=10, others=0)


@dataclass(frozen=True, slots=True)
class Living:
    """Processes at rest, by name, and the journeys of a request and of a changed key."""

    rest: dict[str, Rest]
    request: Passage
    key: Passage


def observe(checkout: Path, folder: Path) -> Living:
    """Start everything, one after the other, and end it again. ``folder`` is for what all that writes."""
    probes = Probes(folder)
    wardgate = str(checkout.resolve() / ".venv" / "bin" / "wardgate")
    with probes.injected():
        rest, request = _serve_the_lab(wardgate, folder, probes)
        in_a_cluster, key = _follow_a_cluster(wardgate, folder, probes)
    return Living(rest | in_a_cluster, request, key)


class _Upstream(socketserver.StreamRequestHandler):
    """Answers every request without a body."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            if line == b"\r\n":
                self.wfile.write(ANSWER)


@contextmanager
def _upstream() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Upstream) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _serve_the_lab(wardgate: str, folder: Path, probes: Probes) -> tuple[dict[str, Rest], Passage]:
    manifests, bundle = folder / "lab", folder / "bundle.json"
    manifests.mkdir()
    lab_in_clear(manifests)
    common = ("--workers", "1", "--no-access-log", "--admin", "127.0.0.1:0")
    with ExitStack() as stack:
        upstream = stack.enter_context(_upstream())
        port = free_port()
        flags = ("--emit", str(bundle), "--resolve", f"api-inference.huggingface.co:80=127.0.0.1:{upstream}")
        run = stack.enter_context(Program(wardgate, "run", str(manifests), "--port", f"8081={port}", *common, *flags))
        run.wait_for("live in", seconds=START_SECONDS)
        proxy = stack.enter_context(
            Program(wardgate, "proxy", "--config", str(bundle), "--port", f"8081={free_port()}", *common)
        )
        proxy.wait_for("live in", seconds=START_SECONDS)
        time.sleep(REST_SECONDS)
        worker = worker_of(run.process_id)
        rest = {
            "wardgate run": probes.at_rest(run.process_id),
            "wardgate proxy --config": probes.at_rest(proxy.process_id),
            "worker": probes.at_rest(worker),
        }
        return rest, _request(port, worker, probes)


def _request(port: int, worker: int, probes: Probes) -> Passage:
    with socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS) as connection:

        def ask() -> float:
            connection.sendall(same(0))
            got = b""
            while not got.endswith(BODY):
                got += connection.recv(65536)
            assert got.startswith(b"HTTP/1.1 200"), got
            return time.monotonic()

        for _ in range(WARM):
            ask()
        return _shortest(ask, worker, [], probes)


def _follow_a_cluster(wardgate: str, folder: Path, probes: Probes) -> tuple[dict[str, Rest], Passage]:
    binaries, helm = control_plane_binaries(say=to_stderr), helm_binary(say=to_stderr)
    with ControlPlane(folder, binaries) as control_plane, ExitStack() as stack:
        cluster = Cluster(control_plane)
        stack.callback(cluster.close)
        cluster.install_crds()
        cluster.wait_until_ready()
        fill(cluster, SMALL)
        installation = stack.enter_context(Installation(cluster, Helm(helm), folder))
        installation.wardgate = (wardgate,)
        operator = installation.operator().program.process_id
        proxy = installation.proxy()
        supervisor = proxy.program.process_id
        time.sleep(REST_SECONDS)
        rest = {
            "wardgate operator": probes.at_rest(operator),
            "wardgate proxy --cluster": probes.at_rest(supervisor),
        }
        caller, keys = Caller(proxy), [KEY, OTHER_KEY]

        def change_key() -> float:
            keys.reverse()
            sequence = installation.index()["sequence"]
            patch = {"data": key_secret(KEY, keys[0])["data"]}
            cluster.patch("Secret", KEY, patch, namespace=NAMESPACE)
            deadline = time.monotonic() + PUBLISHED_SECONDS
            while installation.index()["sequence"] == sequence:
                assert time.monotonic() < deadline, "The changed key is not published."
                time.sleep(POLL_SECONDS)
            return time.monotonic()

        found = _shortest(change_key, operator, [supervisor, worker_of(supervisor)], probes)
        assert caller.status(keys[0]) == 200
        return rest, found


def _shortest(travel: Callable[[], float], first: int, others: Sequence[int], probes: Probes) -> Passage:
    """The passage of what ``travel`` sends: through ``first`` until the time it returns, then through the others."""
    return min((_one(travel, first, others, probes) for _ in range(SAMPLES)), key=lambda found: found.calls)


def _one(travel: Callable[[], float], first: int, others: Sequence[int], probes: Probes) -> Passage:
    probes.record([first, *others])
    arrived = travel()
    time.sleep(AFTER_KEY if others else AFTER_REQUEST)
    ended = time.monotonic()
    before = probes.calls(first, until=arrived if others else ended)
    return passage(before, *(probes.calls(other, until=ended) for other in others))
