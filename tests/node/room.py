"""The node's namespaces: mounts, network, host name, IPC and processes, all held open by one process.

When that process dies, the kernel ends every daemon and pod in them, and with the last one go the mounts, interfaces,
routes and firewall rules. Outside nothing but one end of a veth pair is seen.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from tests.node.places import FOLDER, INSIDE, NAME, OUTSIDE, OUTSIDE_LINK, PREFIX

FILE: Final = FOLDER / "room.json"
OWN_TMPFS: Final = ("/run", "/var/lib", "/var/log")
START_SECONDS: Final = 10.0
END_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Room:
    """The namespaces of process ``pid``; ``born`` is its start time, which no later process of that id shares."""

    pid: int
    born: str

    @classmethod
    def open(cls, init: Path) -> Self:
        """Make the namespaces. ``init`` is a program that reaps children and does nothing else."""
        namespaces = ("--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
        with (FOLDER / "init.log").open("ab") as log:
            outer = subprocess.Popen(
                ["unshare", *namespaces, str(init)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pid = _only_child(outer)
        room = cls(pid, _born(pid))
        FILE.write_text(json.dumps(asdict(room)))
        room._furnish()
        return room

    @classmethod
    def find(cls) -> Self | None:
        """Give the room that stands, if one does."""
        if not FILE.is_file():
            return None
        room = cls(**json.loads(FILE.read_text()))
        return room if room.stands() else None

    def stands(self) -> bool:
        """Tell whether its process lives."""
        with suppress(OSError):
            return _born(self.pid) == self.born
        return False

    def command(self, *command: str) -> list[str]:
        """Give the command that runs another one inside."""
        return ["nsenter", "-t", str(self.pid), "-m", "-n", "-u", "-i", "-p", "--", *command]

    def run(self, *command: str) -> str:
        """Run a command inside and give what it says; raise ``CalledProcessError`` if it fails."""
        return _run(self.command(*command))

    def processes(self, program: str) -> list[int]:
        """Give the ids of the processes inside that run a program of this name."""
        namespace = Path(f"/proc/{self.pid}/ns/pid").readlink()
        found: list[int] = []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                name = Path(os.fsdecode((each / "cmdline").read_bytes().split(b"\0")[0])).name
                if name == program and (each / "ns" / "pid").readlink() == namespace:
                    found.append(int(each.name))
        return found

    def close(self) -> None:
        """End everything inside, and wait until the kernel has."""
        if self.stands():
            os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS
        while self.stands():
            if time.monotonic() > deadline:
                raise TimeoutError(f"The node's first process {self.pid} was killed and does not end.")
            time.sleep(0.02)

    def _furnish(self) -> None:
        remove_link()
        _run(["ip", "link", "add", OUTSIDE_LINK, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid)])
        _run(["ip", "address", "add", f"{OUTSIDE}/{PREFIX}", "dev", OUTSIDE_LINK])
        _run(["ip", "link", "set", OUTSIDE_LINK, "up"])
        inside = [
            f"hostname {NAME}",
            "ip link set lo up",
            f"ip address add {INSIDE}/{PREFIX} dev eth0",
            "ip link set eth0 up",
            f"ip route add default via {OUTSIDE}",
            "echo 1 > /proc/sys/net/ipv4/ip_forward",
            "mount --make-rshared /",
            *(f"mount -t tmpfs tmpfs {place}" for place in OWN_TMPFS),
        ]
        self.run("sh", "-ec", "\n".join(inside))


def remove_link() -> None:
    """Remove the end of the veth pair that is outside: the kernel does so too, seconds after the last process ended."""
    subprocess.run(["ip", "link", "delete", OUTSIDE_LINK], check=False, capture_output=True, timeout=60)


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def _only_child(process: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.01)
    raise OSError(f"unshare made no namespaces: {(FOLDER / 'init.log').read_text()}")


def _born(pid: int) -> str:
    """Give the start time of a process that lives; raise ``OSError`` for another, a zombie too."""
    _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
    fields = rest.split()
    if fields[0] in {"Z", "X"}:
        raise ProcessLookupError(pid)
    return fields[19]
