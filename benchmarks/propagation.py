"""From the API server's answer to a write until each of two proxies enforces it.

A real API server, an operator and two proxies, as processes with the chart's rights, with 1,000 routes, 200 policies
and 10,000 key Secrets. Every route answers by itself, so that nothing but the gateway is measured. Two clients ask one
proxy each, again and again, until the answer is the one that the write asks for; a sample is the slower of the two.

The cluster also holds 5,000 Secrets that are none of Wardgate's business.

    python -m benchmarks.propagation [--samples 50] [--seconds 60] [--routes 1000 --policies 200 --keys 10000]
"""

from __future__ import annotations

import argparse
import base64
import http.client
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.chart.helm import Helm
from tests.cluster.binaries import control_plane_binaries, helm_binary, to_stderr
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.e2e.installation import Installation, Operator, Proxy
from wardgate.api import KINDS

NAMESPACE = "bench"
TEAM = "team-7"
PATH = "/7"
PAUSE = 0.002
"""Seconds between two questions: a sample is longer than the truth by so much at most, and asking faster takes a core
from what is measured."""
GIVE_UP = 30.0
REST = 0.4

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is. Every policy guards its share of the routes and selects its share of the keys."""

    routes: int
    policies: int
    keys: int
    others: int


def world(size: Size) -> Iterator[Manifest]:
    """Everything but the keys: a gateway, tables of a hundred routes each, one policy a team."""
    api = "networking.gloo.solo.io/v2"
    yield {
        "apiVersion": api,
        "kind": "VirtualGateway",
        "metadata": {"name": "gateway"},
        "spec": {"listeners": [{"http": {}, "port": {"number": 8081}}]},
    }
    for start in range(0, size.routes, 100):
        table = start // 100
        yield {
            "apiVersion": api,
            "kind": "RouteTable",
            "metadata": {"name": f"table-{table}"},
            "spec": {
                "hosts": ["*" if table == 0 else f"host-{table}.test"],
                "virtualGateways": [{"name": "gateway"}],
                "http": [route(start + number, size) for number in range(min(100, size.routes - start))],
            },
        }
    for team in range(size.policies):
        yield policy(f"team-{team}", header="api-key")


def route(number: int, size: Size) -> Manifest:
    """A route that answers by itself."""
    return {
        "name": f"route-{number}",
        "labels": {"team": f"team-{number % size.policies}"},
        "matchers": [{"uri": {"prefix": f"/{number}"}}],
        "directResponse": {"status": 200, "body": "ok"},
    }


def policy(team: str, *, header: str) -> Manifest:
    """A team's policy."""
    key = {"headerName": header, "k8sSecretApikeyStorage": {"labelSelector": {"team": team}}}
    return {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": team},
        "spec": {
            "applyToRoutes": [{"route": {"labels": {"team": team}}}],
            "config": {"glooAuth": {"configs": [{"apiKeyAuth": key}]}},
        },
    }


def key_secret(name: str, key: str, team: str = TEAM) -> Manifest:
    """A caller's key."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "extauth.solo.io/apikey",
        "metadata": {"name": name, "labels": {"team": team}},
        "data": {"api-key": base64.b64encode(key.encode()).decode()},
    }


class Caller:
    """One connection to one proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)

    def status(self, key: str, *, header: str = "api-key") -> int:
        """Ask once."""
        try:
            self._connection.request("GET", PATH, headers={header: key})
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0
        return response.status


class Bench:
    """``cluster`` writes; the callers wait for the consequences."""

    def __init__(self, cluster: Cluster, installation: Installation) -> None:
        self.cluster = cluster
        self._callers = [Caller(proxy) for proxy in installation.proxies]
        self._threads = ThreadPoolExecutor(len(self._callers))

    def sample(self, write: Callable[[], object], key: str, status: int, *, header: str = "api-key") -> float:
        """Write, and give the milliseconds from the answer until both proxies agree."""
        answered: list[float] = []
        done = threading.Event()

        def wait(caller: Caller) -> float:
            while caller.status(key, header=header) != status or not answered:
                done.wait(PAUSE)
                if answered and time.monotonic() - answered[0] > GIVE_UP:
                    msg = f"the proxies do not answer {status} after {GIVE_UP:.0f} s"
                    raise TimeoutError(msg)
            return time.monotonic()

        waiting = [self._threads.submit(wait, caller) for caller in self._callers]
        try:
            write()
            answered.append(time.monotonic())
            return (max(each.result() for each in waiting) - answered[0]) * 1000
        finally:
            done.set()

    def isolated(self, samples: int) -> dict[str, list[float]]:
        """Five kinds of write, one at a time, with a rest in between."""
        found: dict[str, list[float]] = {}
        for number in range(samples):
            for kind, milliseconds in self._one_of_each(number):
                found.setdefault(kind, []).append(milliseconds)
        return found

    def _one_of_each(self, number: int) -> Iterator[tuple[str, float]]:
        name, old, new = f"sample-{number}", f"old-{number}", f"new-{number}"
        changed = {"data": key_secret(name, new)["data"]}
        unlabelled = {"metadata": {"labels": {"team": None}}}
        yield "create", self._rested(partial(self._create, key_secret(name, old)), old, 200)
        yield "change", self._rested(partial(self._patch, "Secret", name, changed), new, 200)
        yield "unlabel", self._rested(partial(self._patch, "Secret", name, unlabelled), new, 401)
        self._patch("Secret", name, {"metadata": {"labels": {"team": TEAM}}})
        self._until(new, 200)
        yield "delete", self._rested(partial(self._delete, "Secret", name), new, 401)
        for header in ("x-key", "api-key"):
            spec = {"spec": policy(TEAM, header=header)["spec"]}
            yield "policy", self._rested(partial(self._patch, "ExtAuthPolicy", TEAM, spec), "key-7", 200, header=header)

    def burst(self, count: int) -> float:
        """Create many Secrets at once; milliseconds from the last answer until the last one is enforced."""
        with ThreadPoolExecutor(8) as writers:
            list(writers.map(lambda n: self._create(key_secret(f"burst-{n}", f"burst-{n}")), range(count - 1)))
        return self.sample(partial(self._create, key_secret("burst-last", "burst-last")), "burst-last", 200)

    def steady(self, seconds: float) -> list[float]:
        """Ten changes a second; milliseconds of each until it is enforced."""
        found: list[float] = []
        began = time.monotonic()
        while (due := began + len(found) / 10) < began + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            name = f"steady-{len(found)}"
            found.append(self.sample(partial(self._create, key_secret(name, name)), name, 200))
        return found

    def _rested(self, write: Callable[[], object], key: str, status: int, *, header: str = "api-key") -> float:
        time.sleep(REST)
        return self.sample(write, key, status, header=header)

    def _until(self, key: str, status: int) -> None:
        self.sample(lambda: None, key, status)

    def _create(self, manifest: Manifest) -> None:
        self.cluster.create(manifest, namespace=NAMESPACE)

    def _patch(self, kind: str, name: str, patch: Manifest) -> None:
        self.cluster.patch(kind, name, patch, namespace=NAMESPACE)

    def _delete(self, kind: str, name: str) -> None:
        self.cluster.delete(kind, name, namespace=NAMESPACE)


def fill(cluster: Cluster, size: Size) -> None:
    """Create the world and the keys."""
    cluster.named_namespace(NAMESPACE)
    for manifest in world(size):
        cluster.create(manifest, namespace=NAMESPACE)
    for number in range(size.keys):
        secret = key_secret(f"key-{number}", f"key-{number}", f"team-{number % size.policies}")
        cluster.create(secret, namespace=NAMESPACE)
    for number in range(size.others):
        foreign = {"metadata": {"name": f"other-{number}"}, "stringData": {"password": "x" * 500}}
        cluster.create({"apiVersion": "v1", "kind": "Secret", **foreign}, namespace=NAMESPACE)


def settle(cluster: Cluster) -> float:
    """Wait until all statuses are written; give the time on the clock."""
    waiting = {kind for kind in KINDS if cluster.list(kind)}
    while waiting:
        time.sleep(1.0)
        waiting = {kind for kind in waiting if not all(map(is_programmed, cluster.list(kind)))}
    return time.monotonic()


def is_programmed(found: Manifest) -> bool:
    """Whether an object's status says that the proxies have it."""
    conditions = found.get("status", {}).get("conditions", ())
    return {"type": "Programmed", "status": "True"} in [
        {key: one[key] for key in ("type", "status")} for one in conditions
    ]


def memory_of(operator: Operator) -> int:
    """Resident memory at its highest, in MiB."""
    status = Path(f"/proc/{operator.program.process_id}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) // 1024


def show(name: str, samples: list[float]) -> None:
    """Print one line of figures, in milliseconds."""
    ordered = sorted(samples)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    print(
        f"{name:<10} {len(ordered):>5} {statistics.median(ordered):>9.1f} {p99:>9.1f} {ordered[-1]:>9.1f}", flush=True
    )


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=50, help="isolated writes of each kind")
    parser.add_argument("--seconds", type=float, default=60.0, help="of ten changes a second")
    parser.add_argument("--routes", type=int, default=1000)
    parser.add_argument("--policies", type=int, default=200)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--others", type=int, default=5000, help="Secrets that nobody asked for")
    asked = parser.parse_args()
    binaries, helm = control_plane_binaries(say=to_stderr), helm_binary(say=to_stderr)
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder), binaries) as control_plane:
        cluster = Cluster(control_plane)
        cluster.install_crds()
        cluster.wait_until_ready()
        size = Size(asked.routes, asked.policies, asked.keys, asked.others)
        print(f"{size.routes} routes, {size.policies} policies, {size.keys} keys: creating them ...", file=sys.stderr)
        fill(cluster, size)
        with Installation(cluster, Helm(helm), Path(folder)) as installation:
            began = time.monotonic()
            operator = installation.operator()
            operator.program.wait_for("Published", seconds=120)
            print(f"first revision {time.monotonic() - began:.1f} s after the operator's start")
            for _ in range(2):
                installation.proxy()
            print(f"operator's memory {memory_of(operator)} MiB")
            print(f"statuses written {settle(cluster) - began:.0f} s after the operator's start")
            bench = Bench(cluster, installation)
            print("write        samples    median       p99       max   (ms)")
            isolated = bench.isolated(asked.samples)
            for name, samples in isolated.items():
                show(name, samples)
            show("all", [one for samples in isolated.values() for one in samples])
            show("burst", [bench.burst(100)])
            if asked.seconds:
                show("10 a second", bench.steady(asked.seconds))
            print(f"operator's memory at its highest {memory_of(operator)} MiB")
        cluster.close()


if __name__ == "__main__":
    main()
