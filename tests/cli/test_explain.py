"""Every code has a page, and the example of every page produces its code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.command_line import Wardgate
from wardgate.cli.explain import page_of, summary_of
from wardgate.problems import Reason
from wardgate.settings import Settings
from wardgate.standalone.rounds.engine import Engine
from wardgate.standalone.scan.folder import Folder

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^`wardgate check (.*)example\.yaml` over:$", re.MULTILINE)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    pages = {path.stem for path in (_ROOT / "operator" / "wardgate" / "codes").iterdir()}
    assert set(Reason) == pages


@pytest.mark.parametrize("code", Reason)
def test_page_has_its_parts(code: Reason) -> None:
    headings = re.findall(r"^#+ .*", page_of(code), re.MULTILINE)
    assert [f"# {code}", "## Example", "## Remedy"] == headings


@pytest.mark.parametrize("code", sorted(set(Reason) - {Reason.HELD_BACK}))
def test_example_produces_its_code_and_no_other(code: Reason, wardgate: Wardgate, tmp_path: Path) -> None:
    (text,) = _BLOCK.findall(page_of(code))
    (flags,) = _COMMAND.findall(page_of(code))
    (tmp_path / "example.yaml").write_text(text)
    report = json.loads(wardgate("check", *flags.split(), "-o", "json", str(tmp_path / "example.yaml")).out)

    assert {code} == {one["reason"] for one in report["diagnostics"]}


def test_example_of_a_change_that_is_held_back_produces_its_code(tmp_path: Path) -> None:
    """It takes a past, so ``check`` never tells it: ``run`` and the operator do."""
    folder, engine = Folder([tmp_path]), Engine(Settings())
    before, after = _BLOCK.findall(page_of(Reason.HELD_BACK))
    (tmp_path / "example.yaml").write_text(before)
    assert () == engine.take(folder.scan()).diagnostics
    (tmp_path / "example.yaml").write_text(after)
    told = engine.take(folder.scan()).diagnostics

    assert {Reason.INVALID, Reason.HELD_BACK} == {one.reason for one in told}


@pytest.mark.parametrize("asked", ["NoEffect", "noeffect", "[NoEffect]"])
def test_page_is_printed_without_any_path(wardgate: Wardgate, asked: str) -> None:
    ended = wardgate("check", "--explain", asked)

    assert (0, page_of(Reason.NO_EFFECT)) == (ended.status, ended.out)


def test_unknown_code_names_the_nearest(wardgate: Wardgate) -> None:
    ended = wardgate("check", "--explain", "NoRoute")

    assert (2, "") == (ended.status, ended.out)
    assert (
        "wardgate: There is no code NoRoute. Did you mean NoRoutes? wardgate check --explain list has them all.\n"
        == ended.err
    )


def test_list_has_every_code_with_its_first_sentence(wardgate: Wardgate) -> None:
    lines = wardgate("check", "--explain", "list").out.splitlines()

    assert sorted(Reason) == [line.split()[0] for line in lines]
    assert all(line.endswith(".") for line in lines)


@pytest.mark.slow
def test_pages_come_with_the_package(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=_ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert {f"wardgate/codes/{code}.md" for code in Reason} <= set(packed.namelist())


@pytest.mark.parametrize("code", Reason)
def test_index_of_the_documents_has_the_code_with_its_first_sentence(code: Reason) -> None:
    index = (_ROOT / "docs" / "findings.md").read_text(encoding="utf-8")

    assert f"| [`{code}`](../operator/wardgate/codes/{code}.md) | {summary_of(code)} |" in index.splitlines()
