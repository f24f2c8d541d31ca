"""One version: it stands in one place, the others repeat it, and one command writes them all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chart.helm import ROOT
from wardgate import __version__

FILES = ("operator/wardgate/__init__.py", "charts/wardgate/Chart.yaml", "Dockerfile", "docs/install.md", "CHANGELOG.md")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files with a version."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path


def version(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "release.version", "--root", str(root), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_place_says_the_version_of_the_package() -> None:
    ended = version(ROOT)

    assert (0, f"{__version__}\n") == (ended.returncode, ended.stdout)


def test_one_command_writes_a_version_everywhere(tree: Path) -> None:
    before = {name: len(re.findall(r"\b0\.1\.0\b", (tree / name).read_text())) for name in FILES}

    assert "7.8.9\n" == version(tree, "--set", "7.8.9").stdout
    assert "7.8.9\n" == version(tree, "--tag", "v7.8.9").stdout

    after = {name: len(re.findall(r"\b7\.8\.9\b", (tree / name).read_text())) for name in FILES}
    assert {**before, "CHANGELOG.md": 1} == after
    assert re.search(
        r"^## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n", (tree / FILES[-1]).read_text(), re.MULTILINE
    )


def test_a_candidate_is_written_as_each_tool_wants_it(tree: Path) -> None:
    version(tree, "--set", "7.8.9rc1")

    assert '__version__ = "7.8.9rc1"' in (tree / FILES[0]).read_text()
    assert 'version: 7.8.9-rc1\nappVersion: "7.8.9-rc1"' in (tree / FILES[1]).read_text()
    assert 0 == version(tree, "--tag", "v7.8.9rc1").returncode


@pytest.mark.parametrize("word", ["7.8", "v7.8.9", "7.8.9-rc1", "07.8.9"])
def test_what_is_no_version_is_written_nowhere(tree: Path, word: str) -> None:
    assert 1 == version(tree, "--set", word).returncode
    assert 0 == version(tree).returncode


def test_place_that_says_something_else_is_named(tree: Path) -> None:
    change(tree / "charts/wardgate/Chart.yaml", 'appVersion: "', 'appVersion: "9')

    ended = version(tree)

    assert (1, f"charts/wardgate/Chart.yaml says 9{__version__}, not {__version__}.\n") == (
        ended.returncode,
        ended.stdout,
    )


def test_tag_of_another_version_releases_nothing(tree: Path) -> None:
    version(tree, "--set", "7.8.9")

    ended = version(tree, "--tag", "v7.8.10")

    assert 1 == ended.returncode
    assert "The tag is v7.8.10, and operator/wardgate/__init__.py says 7.8.9: tag v7.8.9." in ended.stdout


def test_release_without_a_section_of_the_change_log_is_refused(tree: Path) -> None:
    assert "CHANGELOG.md has no section" in version(tree, "--tag", f"v{__version__}").stdout
