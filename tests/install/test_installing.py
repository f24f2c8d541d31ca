"""``make install``, ``make demo`` and the image's build install from a lock whatever was released since.

One package here asks for another one's extra, and the index offers a newer release of that other one. A pip that
resolves considers the newer release for the extra, finds no hash for it, and refuses the whole lock.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chart.dockerfile import Follower, Stage, outside_environment, read_dockerfile
from tests.install.index import environment_of, index_address, lock_of, make_wheel

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECONDS = 300.0
BACKEND = """\
import shutil


def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("wardgate-0.1-py3-none-any.whl", folder).rpartition("/")[2]
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Machine:
    """A newcomer's checkout, whose locks name made-up packages, and the variables of the shell there."""

    folder: Path
    variables: dict[str, str]
    plain: Path

    def make(self, target: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", target],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def installed(self) -> list[str]:
        listed = subprocess.run(
            [self.folder / ".venv/bin/python", "-m", "pip", "list", "--format=freeze"],
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return [line for line in listed.stdout.splitlines() if not line.startswith(("pip=", "setuptools="))]


@pytest.fixture(params=["oldest", "newest"])
def pip(request: pytest.FixtureRequest) -> Path:
    """The lock of the pip to install with."""
    return HERE / f"pip-{request.param}.txt"


@pytest.fixture
def machine(tmp_path: Path, pip: Path) -> Machine:
    wheels = tmp_path / "index"
    plain = make_wheel(wheels / "plain", "plain", "1.0", extra="more")
    asking = make_wheel(wheels / "asking", "asking", "1.0", requires="plain[more]>=1.0")
    make_wheel(wheels / "plain", "plain", "2.0", extra="more")
    folder = tmp_path / "checkout"
    (folder / "locks").mkdir(parents=True)
    for name in ("Makefile", "locks/pip_install.py"):
        shutil.copy(ROOT / name, folder / name)
    for lock in ("dev", "demo", "run", "build"):
        (folder / "locks" / f"{lock}.txt").write_text(lock_of([asking, plain]))
    (folder / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n')
    (folder / "b.py").write_text(BACKEND)
    make_wheel(folder, "wardgate", "0.1", requires="asking")
    _environment_with(pip, folder / ".venv")
    return Machine(folder, environment_of(index_address(wheels)), plain)


def _environment_with(pip: Path, folder: Path) -> None:
    """Make a virtual environment whose pip is the given one."""
    venv.create(folder, with_pip=False)
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    subprocess.run([*command, "--no-deps", "--require-hashes", "-r", pip], timeout=SECONDS, check=True)


def test_the_lock_is_installed_although_a_newer_release_has_the_extra(machine: Machine) -> None:
    ended = machine.make("install")

    assert (0, "") == (ended.returncode, ended.stderr)
    assert ["asking==1.0", "plain==1.0", "wardgate==0.1"] == sorted(machine.installed())
    assert "2 of 2: unpacking what was fetched" in ended.stdout


def test_a_package_that_another_one_lacks_is_told(machine: Machine) -> None:
    lock = machine.folder / "locks" / "dev.txt"
    lock.write_text("".join(line for line in lock.read_text().split("plain==")[0]))

    ended = machine.make("install")

    assert 0 != ended.returncode
    assert "asking 1.0 requires plain, which is not installed." in ended.stdout


def test_what_pip_says_of_a_failure_is_shown(machine: Machine) -> None:
    machine.plain.unlink()
    machine.plain.with_name("index.html").write_text("")

    ended = machine.make("install")

    assert 0 != ended.returncode
    assert "No matching distribution found for plain==1.0" in ended.stdout
    assert "error: pip could not install locks/dev.txt; its own words are above." in ended.stdout


def test_what_make_install_installed_serves_the_lab_too(machine: Machine) -> None:
    machine.make("install")

    ended = machine.make("demo")

    assert "Packages of" not in ended.stdout
    assert "==> The lab" in ended.stdout


def test_the_image_is_built_although_a_newer_release_has_the_extra(machine: Machine, tmp_path: Path) -> None:
    python = machine.folder / ".venv" / "bin" / "python3"
    variables = {**machine.variables, "PATH": outside_environment(python)["PATH"]}
    follower = Follower(tmp_path / "root", variables, machine.folder)
    follower.root.mkdir()
    build, _ = read_dockerfile()
    packages = [place for place, each in enumerate(build.instructions) if "locks/" in each.text]

    follower.follow(Stage(build.base, build.instructions[: packages[-1] + 1]))

    found = {path.name for path in tmp_path.glob("root/opt/wardgate/lib/python*/site-packages/*.dist-info")}
    assert {"asking-1.0.dist-info", "plain-1.0.dist-info"} == found
