"""Folders like those that people have start, and are told one thing for each cause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from examples.demo.processes import Program
from tests.cli.command_line import Wardgate
from tests.cli.golden import golden
from tests.documents.desk import BIN
from tests.examples.servers import START_SECONDS

HERE = Path(__file__).parent
FOLDERS = sorted(path.name for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("_"))
LISTENERS = (80, 8001, 8002, 8081)


def test_there_is_a_folder_for_each_repository_that_was_read() -> None:
    assert 17 == len([folder for folder in FOLDERS if folder != "workshop"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_report_says_what_matters(wardgate: Wardgate, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.chdir(HERE)
    ended = wardgate("check", folder)

    assert golden(f"corpus/{folder}.txt", ended.out) == ended.out
    assert "" == ended.err


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_served(folder: str) -> None:
    ports = [flag for port in LISTENERS for flag in ("--port", f"{port}=0")]
    with Program(
        str(BIN / "wardgate"), "run", str(HERE / folder), "--admin", "none", "--workers", "1", *ports
    ) as program:
        program.wait_for("live in", seconds=START_SECONDS)
        assert [] == [line for line in program.lines if "Traceback" in line]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_sentence_is_said_twice(wardgate: Wardgate, monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    """Sentences are compared without the names that they hold."""
    monkeypatch.chdir(HERE)
    findings = wardgate("check", folder).out.splitlines()[:-1]
    said = [re.sub(r"^\S+ ", "", re.sub(r"\S*/\S*|\"[^\"]*\"|\[\d+\]", "_", line)) for line in findings]

    assert len(set(said)) == len(said)


def test_a_patch_of_kustomize_is_left_out_as_its_remedy_says(
    wardgate: Wardgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(HERE)

    assert "leave its file out with --exclude" in wardgate("check", "app-of-apps").out
    assert "No problems" in wardgate("check", "app-of-apps", "--exclude", "patch/").out
