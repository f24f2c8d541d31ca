"""The locks: one version of each package, complete, and installed without looking for anything else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)
INSTALLERS = [
    *(ROOT / name for name in ("Makefile", "Dockerfile", "CONTRIBUTING.md", "README.md", ".ci/run")),
    ROOT / "tests" / "cluster" / "go_toolchain.py",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "locks" / f"{lock}.txt").read_text()))


@pytest.mark.parametrize("lock", ["demo", "run", "build"])
def test_a_smaller_lock_is_part_of_the_lock_of_developers(lock: str) -> None:
    assert pins(lock) == {name: version for name, version in pins("dev").items() if name in pins(lock)}


@pytest.mark.parametrize("lock", ["dev", "demo", "run"])
def test_a_lock_pins_every_dependency(lock: str) -> None:
    """``make lock`` writes all locks; a dependency that was added to one of them by hand stops the others' users."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[<>=~!\[ ;]", each)[0].lower() for each in wanted}

    assert set() == names - set(pins(lock))


def test_the_lab_installs_no_tools_and_no_clients_of_providers() -> None:
    assert set() == set(pins("demo")) & {"mypy", "ruff", "pytest", "openai", "anthropic", "huggingface-hub"}


@pytest.mark.parametrize("path", INSTALLERS, ids=lambda path: path.name)
def test_a_lock_is_installed_without_resolving(path: Path) -> None:
    """Resolving looks at releases newer than the lock as soon as a package asks for another one's extra."""
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    installs = [line for line in text.splitlines() if "--require-hashes" in line and "pip" in line]

    assert [] == [line for line in installs if "--no-deps" not in line]
