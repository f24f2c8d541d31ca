"""A reader's desk: a folder like the root of the repository, a shell, and what was started in it.

Commands run as they stand in the document, but for what two readers of one machine cannot share: the documents' ports
and ``/tmp`` are replaced by ports and a folder of this desk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from examples.demo.processes import Program
from tests.cluster.ports import stable_ports
from tests.documents.blocks import ROOT, Command, is_as_shown

GATEWAY, PROVIDER, OTHER = "8081", "8443", "18081"
BIN = Path(sys.executable).parent
START_SECONDS = 60.0
SECONDS = 60.0
SHARED = ("examples", "charts")


class Desk:
    """Ends what was started on it when left."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.ports = dict(zip((GATEWAY, PROVIDER, OTHER), map(str, stable_ports(3)), strict=True))
        self._running = ExitStack()
        self.variables = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "WARDGATE_PORT": f"{GATEWAY}={self.ports[GATEWAY]}",
            "WARDGATE_ADMIN": "none",
            **(environment or {}),
        }
        for name in SHARED:
            (folder / name).symlink_to(ROOT / name)
        shutil.copytree(ROOT / "examples" / "huggingface", folder / "manifests")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def typed(self, text: str) -> str:
        """Give a text with the documents' ports and folders replaced by those of this desk."""
        for port, own in self.ports.items():
            for before in ("127.0.0.1:", "--port ", "PORT="):
                text = text.replace(before + port, before + own)
        return text.replace("/tmp/", f"{self.folder}/").replace(".venv/bin/", f"{BIN}/")

    def run(self, text: str, *, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = ["bash", "-c", self.typed(text)]
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def start(self, text: str, *words: str, folder: Path | None = None) -> Program:
        """Start a command that goes on until the desk is left; wait for a line with these words."""
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        # exec: a signal shall reach the program itself, not the shell around it.
        shell = f"cd {folder or self.folder} && exec env {self.typed(text)}"
        program = Program("env", *variables, "bash", "-c", shell)
        self._running.enter_context(program)
        program.wait_for(*words, seconds=START_SECONDS)
        return program


def difference(desk: Desk, command: Command, *, status: int = 0) -> str:
    """Run a command; say what is wrong with its status or its output, or nothing."""
    ended = desk.run(command.text)
    printed = ended.stdout + (ended.stderr if status else "")
    if ended.returncode == status and (not command.shown or is_as_shown(desk.typed(command.shown), printed)):
        return ""
    return (
        f"{command.document}:{command.line} shows for {command.text}\n{command.shown}\n"
        f"It printed (status {ended.returncode}):\n{ended.stdout}\n{ended.stderr}"
    )
