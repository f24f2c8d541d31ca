"""The Dockerfile's own steps, followed in a folder, end at a command that runs. An engine is not needed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.chart.dockerfile import Follower, outside_environment, read_dockerfile
from wardgate import __version__


def test_both_stages_stand_on_the_base_that_an_argument_names() -> None:
    assert ["${BASE_IMAGE}", "${BASE_IMAGE}"] == [stage.base for stage in read_dockerfile()]


def test_the_user_is_a_number_above_zero() -> None:
    """Kubernetes refuses to start a container with ``runAsNonRoot`` whose user is a name."""
    _, image = read_dockerfile()

    assert all(int(part) > 0 for part in image.only("USER").split(":"))


def test_the_image_starts_the_command_without_a_shell() -> None:
    _, image = read_dockerfile()

    assert ["wardgate"] == json.loads(image.only("ENTRYPOINT"))


def test_every_package_comes_from_a_lock_by_its_hash() -> None:
    build, _ = read_dockerfile()
    installs = [each.text for each in build.instructions if re.search(r"-m pip .*\binstall\b", each.text)]

    assert 3 == len(installs)
    assert [] == [each for each in installs if not {"--require-hashes", "--no-index"} & set(each.split())]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the image gets, made by the steps of the build."""
    folder = tmp_path_factory.mktemp("image")
    base = folder / "base"
    venv.create(base, with_pip=True)
    outside = {**outside_environment(base / "bin" / "python3"), "MYPYC_OPT_LEVEL": "0"}
    follower = Follower(folder / "root", outside)
    follower.root.mkdir()
    build, _ = read_dockerfile()
    follower.follow(build)
    return follower.inside("/opt/wardgate")


def _run(built: Path, *command: str) -> subprocess.CompletedProcess[str]:
    _, image = read_dockerfile()
    variables = {**image.environment(), "PATH": str(built / "bin")}
    return subprocess.run(command, env=variables, cwd="/", capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["operator", "proxy"])
def test_the_steps_of_the_build_give_a_working_command(built: Path, command: str) -> None:
    ended = _run(built, str(built / "bin" / "wardgate"), command, "--help")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert f"wardgate {command}" in ended.stdout


@pytest.mark.slow
def test_the_image_is_this_version_and_compiled(built: Path) -> None:
    said = _run(built, str(built / "bin" / "wardgate"), "version").stdout

    assert said.startswith(f"wardgate {__version__} ")
    assert said.endswith(", compiled)\n")


def test_the_image_itself_gets_no_compiler() -> None:
    _, image = read_dockerfile()

    assert [] == [each for each in image.instructions if each.name == "RUN" or "gcc" in each.text]


@pytest.mark.slow
def test_the_image_has_no_installer_and_no_tools_of_the_build(built: Path) -> None:
    code = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    names = _run(built, str(built / "bin" / "python"), "-c", code).stdout.split()

    assert "wardgate" in names
    assert set() == set(names) & {"pip", "setuptools", "hatchling", "mypy", "pytest"}


@pytest.mark.slow
def test_every_module_is_compiled_and_running_writes_nothing(built: Path) -> None:
    before = {path for path in built.rglob("*") if path.is_file()}
    sources = [path for path in before if path.suffix == ".py" and "wardgate" in path.parts]
    tag = sys.implementation.cache_tag

    _run(built, str(built / "bin" / "wardgate"), "crds")

    assert [] == [path for path in sources if path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" not in before]
    assert before == {path for path in built.rglob("*") if path.is_file()}
