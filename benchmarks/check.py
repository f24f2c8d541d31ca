"""How long ``wardgate check`` takes over a generated folder: ``python -m benchmarks.check [OBJECTS]``.

Each team has a route table, a provider, a policy, a transformation and a key, in a file of its own. Prints the best of
some rounds: the command's wall time and CPU time, and the time that reading and translating take in this process. The
rest of the command's time is spent on imports, of modules that are compiled already, as those of an installed command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from time import perf_counter

import yaml

from wardgate.settings import Settings
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.scan.folder import Folder

OBJECTS = 500
ROUNDS = 7
GATEWAYS, TEAMS = "gateways", "teams"
WARDGATE = Path(sys.executable).parent / "wardgate"


def made(group: str, kind: str, name: str, spec: object, *, namespace: str = TEAMS) -> dict[str, object]:
    """Give one object of the Gloo API."""
    metadata = {"name": name, "namespace": namespace, "labels": {"owner": name}}
    return {"apiVersion": f"{group}.gloo.solo.io/v2", "kind": kind, "metadata": metadata, "spec": spec}


def platform() -> Iterator[dict[str, object]]:
    """Give the gateway, and the table that delegates to every team's."""
    listener = {"http": {}, "port": {"number": 8081}, "allowedRouteTables": [{"host": "*"}]}
    yield made("networking", "VirtualGateway", "ai", {"listeners": [listener]}, namespace=GATEWAYS)
    route = {"name": "teams", "delegate": {"routeTables": [{"namespace": TEAMS}]}}
    spec = {"hosts": ["*"], "virtualGateways": [{"name": "ai", "namespace": GATEWAYS}], "http": [route]}
    yield made("networking", "RouteTable", "ai", spec, namespace=GATEWAYS)


def team(number: int) -> Iterator[dict[str, object]]:
    """Give the five objects of a team."""
    name = f"team-{number}"
    selected = [{"route": {"labels": {"team": name}}}]
    destination = {"kind": "EXTERNAL_SERVICE", "ref": {"name": name}, "port": {"number": 443}}
    forward = {"pathRewrite": "/v1/", "hostRewrite": f"{name}.example.com", "destinations": [destination]}
    route = {
        "name": "llm",
        "labels": {"team": name},
        "matchers": [{"uri": {"prefix": f"/{name}/"}}],
        "forwardTo": forward,
    }
    port = {"name": "https", "number": 443, "protocol": "HTTPS", "clientsideTls": {}}
    keys = {
        "headerName": "api-key",
        "k8sSecretApikeyStorage": {"labelSelector": {"keys": name}},
        "headersFromMetadataEntry": {"x-api-key": {"name": "token", "required": True}},
    }
    template = {
        "headers": {"Authorization": {"text": "Bearer {{ token }}"}},
        "extractors": {"token": {"header": "x-api-key", "regex": ".*"}},
    }
    policy = {"applyToRoutes": selected, "config": {"glooAuth": {"configs": [{"apiKeyAuth": keys}]}}}
    transformation = {"applyToRoutes": selected, "config": {"request": {"injaTemplate": template}}}
    yield made("networking", "RouteTable", name, {"http": [route]})
    yield made("networking", "ExternalService", name, {"hosts": [f"{name}.example.com"], "ports": [port]})
    yield made("security.policy", "ExtAuthPolicy", name, policy)
    yield made("trafficcontrol.policy", "TransformationPolicy", name, transformation)
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": TEAMS, "labels": {"keys": name}},
        "type": "extauth.solo.io/apikey",
        "stringData": {"api-key": f"key-of-{name}", "token": f"token-of-{name}"},
    }


def write(folder: Path, objects: int) -> None:
    """Write so many objects, or a few less."""
    (folder / "platform.yaml").write_text(yaml.safe_dump_all(list(platform())))
    for number in range((objects - 2) // 5):
        (folder / f"team-{number}.yaml").write_text(yaml.safe_dump_all(list(team(number))))


class Command:
    """``wardgate check`` over a folder; the modules' byte code is kept in another one."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._words = [str(WARDGATE), "check", str(folder)]
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment = {**kept, "PYTHONPYCACHEPREFIX": str(cache)}

    def run(self) -> str:
        """Give what it says in the end."""
        ended = subprocess.run(self._words, env=self._environment, capture_output=True, text=True, check=True)
        return ended.stdout.strip().splitlines()[-1]


def best_of(work: Callable[[], object]) -> float:
    """Give the milliseconds of the fastest round: the others were disturbed."""
    times = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        times.append(perf_counter() - began)
    return min(times) * 1000


def cpu_of(command: Command) -> float:
    """Give the milliseconds that a command keeps a processor busy, the least of some rounds."""
    spent = []
    for _ in range(ROUNDS):
        before = getrusage(RUSAGE_CHILDREN)
        command.run()
        after = getrusage(RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent) * 1000


def main() -> None:
    """Generate, measure, print."""
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else OBJECTS
    with TemporaryDirectory() as path, TemporaryDirectory() as cache:
        folder = Path(path)
        write(folder, objects)
        command = Command(folder, Path(cache))
        print(command.run())
        scan = Folder([folder]).scan()
        print(f"the command   {best_of(command.run):7.0f} ms")
        print(f"  its CPU     {cpu_of(command):7.0f} ms")
        print(f"  reading     {best_of(lambda: Folder([folder]).scan()):7.0f} ms")
        print(f"  translating {best_of(lambda: Engine(Settings()).take(scan)):7.0f} ms")


if __name__ == "__main__":
    main()
