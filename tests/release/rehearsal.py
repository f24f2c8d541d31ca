"""Does what a release does, as far as nothing is published: ``python -m tests.release.rehearsal FOLDER``.

The workflow's steps run here with the same programs, but for what needs a registry, GitHub or another architecture.
The compiled wheel is the business of ``make test-compiled``, the image that of ``make test-compiled`` and ``make e2e``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.cluster.binaries import ACTIONLINT, BuildError, built, helm_binary, to_stderr

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NOBODYS_IMAGE = f"registry.example/wardgate@sha256:{'0' * 64}"


def main() -> int:
    """Rehearse. Exit status 1: a step failed, and said why."""
    folder = Path(sys.argv[1]).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        rehearse(folder)
    except subprocess.CalledProcessError as failed:
        to_stderr(f"error: status {failed.returncode} of {' '.join(map(str, failed.cmd))}")
        return 1
    except BuildError as failed_build:
        to_stderr(f"error: {failed_build}")
        return 1
    print(f"Nothing stands in the way of a release. All that it would publish is in {folder}.")
    return 0


def rehearse(folder: Path) -> None:
    """Take each step. Raises ``CalledProcessError``."""
    step("One version in all places")
    python("release.version")
    step("The wheel for every machine, and the source: twice, and the same bytes")
    again = folder / "again"
    for each in (folder, again):
        python("hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", each)
    for path in again.iterdir():
        run("cmp", path, folder / path.name)
    run(twine(folder), "check", "--strict", *folder.glob("*.whl"), *folder.glob("*.tar.gz"))
    step("The list of packages")
    (folder / "sbom.cdx.json").write_bytes(python("release.sbom", sys.prefix))
    step("The chart")
    python("release.chart", "--helm", helm_binary(say=to_stderr), "--image", NOBODYS_IMAGE, folder)
    step("kubectl's plugin")
    python("release.kubectl_plugin", folder)
    step("The workflows")
    run(built(ACTIONLINT, say=to_stderr) / "actionlint", "-shellcheck=", "-pyflakes=", *WORKFLOWS)


def step(name: str) -> None:
    """Say what comes next."""
    print(f"==> {name}", flush=True)


def python(module: str, *arguments: str | Path) -> bytes:
    """Run a module; return what it printed."""
    return run(sys.executable, "-m", module, *arguments)


def run(*command: str | Path) -> bytes:
    """Run a program at the root of the tree; return what it printed."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout


def twine(folder: Path) -> Path:
    """Install the program that PyPI's uploads are checked with, in an environment of its own, from its lock."""
    tools = folder / "tools"
    venv.create(tools, with_pip=True)
    pip = tools / "bin" / "python"
    run(pip, "locks/pip_install.py", "--no-deps", "--require-hashes", "-r", "locks/release.txt")
    run(pip, "-m", "pip", "check", "--disable-pip-version-check")
    return tools / "bin" / "twine"


if __name__ == "__main__":
    sys.exit(main())
