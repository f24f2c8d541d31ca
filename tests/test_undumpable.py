"""A process that holds secrets leaves no core file and lets nobody look into its memory."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import uvloop

from tests.proxy.io.bench import settle
from tests.proxy.test_supervisor import supervising

SHOW = """
import ctypes, resource, sys
PR_GET_DUMPABLE = 3
dumpable = ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) if sys.platform == "linux" else 0
print(dumpable, *resource.getrlimit(resource.RLIMIT_CORE), flush=True)
"""
"""Prints whether the process is dumpable, and the soft and hard limit of a core file's size."""
WORKER = f"""
import runpy
runpy.run_module("wardgate.proxy.worker_start", run_name="__main__")
{SHOW}
"""
COMMAND = f"""
import sys
sys.argv[0] = "wardgate"
from wardgate.cli.main import main
try:
    main()
except SystemExit:
    pass
{SHOW}
"""


def said_at_the_end(program: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> str:
    """Run a program to its end and return the last line of its output."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        pass_fds=descriptors,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        text=True,
    )
    return ended.stdout.splitlines()[-1]


@pytest.mark.slow
def test_a_worker_is_undumpable() -> None:
    ours, theirs = socket.socketpair()
    # A worker without a supervisor ends.
    ours.close()
    with theirs:
        assert said_at_the_end(WORKER, str(theirs.fileno()), descriptors=(theirs.fileno(),)) == "0 0 0"


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "{folder}", "--admin", "{taken}"),
        ("proxy", "--config", "{folder}/none.json"),
        ("operator", "--kubeconfig", "{folder}/none.yaml"),
    ],
)
def test_a_command_that_holds_tokens_is_undumpable(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    # Each of them ends by itself: its address is taken, or its input absent.
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = "{}:{}".format(*holder.getsockname())
        given = [argument.format(folder=tmp_path, taken=taken) for argument in arguments]
        assert said_at_the_end(COMMAND, *given) == "0 0 0"


def core_limits(process: int) -> list[str]:
    """Soft and hard limit of a core file's size."""
    limits = Path(f"/proc/{process}/limits").read_text(encoding="ascii").splitlines()
    (core,) = (line for line in limits if line.startswith("Max core file size"))
    return core.split()[4:6]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells a process's limits in a file")
def test_the_workers_of_a_supervisor_write_no_core_file() -> None:
    async def scenario() -> None:
        async with supervising() as running:
            await settle(lambda: all(worker.ready for worker in running.supervisor._workers.values()))
            assert [core_limits(process) for process in running.worker_ids] == [["0", "0"]] * 2

    uvloop.run(asyncio.wait_for(scenario(), 60.0))
