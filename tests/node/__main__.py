"""The node by hand: ``python -m tests.node up``, ``down``, ``shell``, ``load FILE``, ``run COMMAND`` and more.

``run`` brings the node up, runs a command with its ``KUBECONFIG``, and takes the node down, even when it is killed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.binaries import (
    COREDNS,
    NODE,
    PAUSE,
    BuildError,
    built,
    control_plane_binaries,
    helm_binary,
    to_stderr,
)
from tests.node import node
from tests.node.places import KUBECONFIG
from tests.node.requirements import CannotRunError, require_packages, require_root
from tests.node.room import Room

ROOT = Path(__file__).parents[2]
SKIPPED = 3
GUARD = 'read -r line; exec "$0" -m tests.node down'
"""A shell that waits on a pipe which only we hold open: when we die, however suddenly, the node goes down."""


def main(arguments: Sequence[str]) -> int:
    """Do one of them; give its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.does(options))
    except (BuildError, CannotRunError, node.NodeError) as error:
        to_stderr(f"error: {error}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.node", description="One Kubernetes node with real pods.")
    verbs = parser.add_subparsers(required=True)
    verbs.add_parser("need", help="tell whether this machine can run it").set_defaults(does=_need)
    verbs.add_parser("up", help="bring it up").set_defaults(does=_up)
    verbs.add_parser("down", help="take it down and remove all of it").set_defaults(does=_down)
    verbs.add_parser("shell", help="a shell inside, with kubectl").set_defaults(does=_shell)
    verbs.add_parser("build", help="build its programs").set_defaults(does=_build)
    loading = verbs.add_parser("load", help="load an image archive")
    loading.add_argument("archive", type=Path)
    loading.set_defaults(does=_load)
    api_server = verbs.add_parser("api-server", help="stop the API server, or start it again")
    api_server.add_argument("verb", choices=("stop", "start"))
    api_server.set_defaults(does=_api_server)
    running = verbs.add_parser("run", help="bring it up, run a command, take it down")
    running.add_argument("command", nargs=argparse.REMAINDER)
    running.set_defaults(does=_run)
    return parser


def _programs() -> node.Programs:
    require_root()
    require_packages()
    return node.Programs(
        control_plane=control_plane_binaries(say=to_stderr),
        node=built(NODE, say=to_stderr),
        pause=built(PAUSE, say=to_stderr) / "pause",
        coredns=built(COREDNS, say=to_stderr) / "coredns",
    )


def _need(options: argparse.Namespace) -> int:
    """Give 3 where the tests are to be left out: on a developer's machine without root, not in CI."""
    del options
    try:
        require_root()
    except CannotRunError as error:
        if os.environ.get("CI"):
            raise
        to_stderr(f"SKIPPED: {error}")
        return SKIPPED
    require_packages()
    return 0


def _build(options: argparse.Namespace) -> int:
    del options
    _programs()
    return 0


def _up(options: argparse.Namespace) -> int:
    del options
    node.up(_programs(), say=to_stderr)
    return 0


def _down(options: argparse.Namespace) -> int:
    del options
    node.down(say=to_stderr)
    return 0


def _load(options: argparse.Namespace) -> int:
    node.load(options.archive.absolute())
    return 0


def _api_server(options: argparse.Namespace) -> int:
    if options.verb == "stop":
        node.stop_api_server()
    else:
        node.start_api_server(_programs())
    return 0


def _shell(options: argparse.Namespace) -> int:
    del options
    room = Room.find()
    if room is None:
        raise node.NodeError("No node is up: `make cluster-up` brings one up.")
    to_stderr("A shell inside the node; kubectl is its admin's. Leave it with exit.")
    return subprocess.run(room.command("/bin/bash"), env=_environment(_programs()), check=False).returncode


def _run(options: argparse.Namespace) -> int:
    programs = _programs()
    if Room.find() is not None:
        raise node.NodeError("A node is up already, and may be another's: `make cluster-down` ends it.")
    with subprocess.Popen(
        ["sh", "-c", GUARD, sys.executable], stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True
    ):  # the pipe closes as this block ends, and the guard takes the node down
        node.up(programs, say=to_stderr)
        status = subprocess.run(options.command, env=_environment(programs), check=False).returncode
    if left := node.leftovers():
        raise node.NodeError(f"The node is down and left behind: {', '.join(left)}.")
    return status


def _environment(programs: node.Programs) -> dict[str, str]:
    paths = (str(programs.control_plane), str(helm_binary(say=to_stderr).parent), os.environ["PATH"])
    return {**os.environ, "KUBECONFIG": str(KUBECONFIG), "PATH": os.pathsep.join(paths)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
