"""Brings the node up, loads images into it, and takes it down so that nothing of it is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.waiting import wait_until
from tests.node import parts, sysctls
from tests.node.addons import coredns, coredns_image, pause_image
from tests.node.cgroups import branches, make_branches, remove_branches
from tests.node.identities import write_identities
from tests.node.places import FOLDER, KUBECONFIG, LOGS, NAME, OUTSIDE_LINK, SOCKET
from tests.node.requirements import require_packages, require_root
from tests.node.room import Room, remove_link

Say = Callable[[str], None]

READY_SECONDS: Final = 60.0
LOAD_SECONDS: Final = 300.0
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are: ``control_plane`` has etcd, kube-apiserver and kubectl, ``node`` the other parts."""

    control_plane: Path
    node: Path
    pause: Path
    coredns: Path


class NodeError(Exception):
    """The node did not come up. The message holds the end of each log."""


def up(programs: Programs, *, say: Say) -> None:
    """Bring the node up and wait until it runs pods and answers names. Nothing is left behind if that fails."""
    require_root()
    require_packages()
    if Room.find() is not None:
        say(f"The node is up already: export KUBECONFIG={KUBECONFIG}")
        return
    down(say=say)
    started = time.monotonic()
    try:
        _bring_up(programs, say=say)
    except BaseException as error:
        told = _ends_of_logs()
        down(say=say)
        if isinstance(error, Exception):
            raise NodeError(f"{error}\n{told}") from error
        raise
    say(f"The node is up after {time.monotonic() - started:.0f} s: export KUBECONFIG={KUBECONFIG}")


def down(*, say: Say) -> None:
    """End the node, if there is one or the rest of one, and remove all that it left."""
    if not FOLDER.is_dir():
        return
    require_root()
    if (room := Room.find()) is not None:
        room.close()
        say("The node is down.")
    remove_link()
    remove_branches()
    sysctls.restore(FOLDER / "sysctls.json")
    shutil.rmtree(FOLDER)


def leftovers() -> list[str]:
    """Give what a node has left behind on this machine; nothing, after ``down``."""
    links = subprocess.run(["ip", "-o", "link"], check=True, capture_output=True, text=True, timeout=10).stdout
    return [
        *([str(FOLDER)] if FOLDER.exists() else []),
        *([f"the interface {OUTSIDE_LINK}"] if f" {OUTSIDE_LINK}@" in links else []),
        *(str(branch) for branch in branches() if branch.exists()),
    ]


def load(archive: Path) -> None:
    """Load an image archive into the node."""
    room = _room()
    _containerd(room, "images", "import", str(archive))


def stop_api_server() -> None:
    """End the API server; pods, and what the kubelet does without it, go on."""
    room = _room()
    for pid in room.processes("kube-apiserver"):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not room.processes("kube-apiserver"), seconds=READY_SECONDS, what="the API server ended")


def start_api_server(programs: Programs) -> None:
    """Start it again, and wait until it answers."""
    _start(_room(), parts.api_server(programs.control_plane))
    _wait("the API server answers", lambda: kubectl(programs, "get", "--raw", "/readyz") == "ok")


def kubectl(programs: Programs, *arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as the node's admin."""
    environment = {**os.environ, "KUBECONFIG": str(KUBECONFIG)}
    command = [str(programs.control_plane / "kubectl"), *arguments]
    return subprocess.run(
        command, env=environment, input=stdin, check=True, capture_output=True, text=True, timeout=READY_SECONDS
    ).stdout


def _bring_up(programs: Programs, *, say: Say) -> None:
    FOLDER.mkdir(mode=0o755)
    LOGS.mkdir()
    write_identities()
    sysctls.save(FOLDER / "sysctls.json")
    make_branches()
    room = Room.open(programs.pause)
    for command in (parts.etcd(programs.control_plane), parts.containerd(), parts.api_server(programs.control_plane)):
        _start(room, command)
    _load_own_images(room, programs)
    _wait("the API server answers", lambda: kubectl(programs, "get", "--raw", "/readyz") == "ok")
    say("The API server is ready.")
    for command in (
        parts.controller_manager(programs.node),
        parts.scheduler(programs.node),
        parts.kubelet(programs.node),
        parts.kube_proxy(programs.node),
    ):
        _start(room, command)
    _wait("the node is there", lambda: kubectl(programs, "get", "node", NAME, "-o", "name"))
    kubectl(programs, "wait", "--for=condition=Ready", f"node/{NAME}", "--timeout=50s")
    say("The node is ready for pods.")
    _apply(programs, coredns())
    kubectl(
        *(programs, "-n", "kube-system", "wait", "--for=condition=Available", "deployment/coredns", "--timeout=50s")
    )


def _load_own_images(room: Room, programs: Programs) -> None:
    _wait("containerd answers", lambda: _containerd(room, "version"))
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        for write, program in ((pause_image, programs.pause), (coredns_image, programs.coredns)):
            archive = Path(scratch) / f"{program.name}.tar"
            write(program, archive)
            _containerd(room, "images", "import", str(archive))


def _apply(programs: Programs, objects: Iterable[Mapping[str, Any]]) -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    kubectl(programs, "apply", "--server-side", "-f", "-", stdin=text)


def _containerd(room: Room, *arguments: str) -> str:
    command = room.command("/usr/bin/ctr", f"--address={SOCKET}", "--namespace=k8s.io", *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LOAD_SECONDS).stdout


def _room() -> Room:
    room = Room.find()
    if room is None:
        raise NodeError("No node is up: `make cluster-up` brings one up.")
    return room


def _start(room: Room, command: list[str]) -> None:
    with parts.log_of(command).open("ab") as log:
        subprocess.Popen(
            room.command(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _wait(what: str, probe: Callable[[], object]) -> None:
    def answers() -> object:
        with suppress(subprocess.CalledProcessError):
            return probe()
        return None

    wait_until(answers, seconds=READY_SECONDS, what=what)


def _ends_of_logs() -> str:
    logs = sorted(LOGS.glob("*.log")) if LOGS.is_dir() else []
    return "\n".join(
        "\n".join([f"-- {log.stem} said:", *log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN:]])
        for log in logs
    )
