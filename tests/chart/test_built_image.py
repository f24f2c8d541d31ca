"""The Dockerfile's own steps, followed in a folder, end at commands that run compiled. An engine is not needed.

Collected by ``make test-compiled`` alone, which has compiled the wheel already (``tests/chart/conftest.py``).
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.chart.dockerfile import Follower, outside_environment, read_dockerfile
from wardgate import __version__

pytestmark = pytest.mark.slow

HERE = Path(sys.prefix)
"""The environment of this run, which the Makefile made of the wheel beside it."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the image gets, made by the steps of the build, with the wheel of this run."""
    folder = tmp_path_factory.mktemp("image")
    base = folder / "base"
    venv.create(base, with_pip=True)
    (wheel,) = (HERE / "dist").glob("*.whl")
    follower = Follower(folder / "root", outside_environment(base / "bin" / "python3"), wheel=wheel)
    follower.root.mkdir()
    build, _ = read_dockerfile()
    follower.follow(build)
    return follower.inside("/opt/wardgate")


def _run(built: Path, *command: str) -> subprocess.CompletedProcess[str]:
    _, image = read_dockerfile()
    variables = {**image.environment(), "PATH": str(built / "bin")}
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", ["operator", "proxy"])
def test_the_steps_of_the_build_give_a_working_command(built: Path, command: str) -> None:
    ended = _run(built, str(built / "bin" / "wardgate"), command, "--help")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert f"wardgate {command}" in ended.stdout


def test_the_image_is_this_version_and_compiled(built: Path) -> None:
    said = _run(built, str(built / "bin" / "wardgate"), "version").stdout

    assert said.startswith(f"wardgate {__version__} ")
    assert said.endswith(", compiled)\n")


def test_the_image_has_no_installer_and_no_tools_of_the_build(built: Path) -> None:
    code = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    names = _run(built, str(built / "bin" / "python"), "-c", code).stdout.split()

    assert "wardgate" in names
    assert set() == set(names) & {"pip", "setuptools", "hatchling", "mypy", "pytest"}


def test_every_module_is_compiled_and_running_writes_nothing(built: Path) -> None:
    before = {path for path in built.rglob("*") if path.is_file()}
    sources = [path for path in before if path.suffix == ".py" and "wardgate" in path.parts]
    tag = sys.implementation.cache_tag

    _run(built, str(built / "bin" / "wardgate"), "crds")

    assert [] == [path for path in sources if path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" not in before]
    assert before == {path for path in built.rglob("*") if path.is_file()}
