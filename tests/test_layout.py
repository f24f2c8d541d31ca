"""What the layout of the repository promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "operator").rglob("*.py"))


def test_the_source_root_is_no_package() -> None:
    """``operator/__init__.py`` would shadow the module of the standard library for whoever runs from the root."""
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_types_are_shipped() -> None:
    assert (ROOT / "operator" / "wardgate" / "py.typed").is_file()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_longer_than_four_hundred_lines(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {module.parent for module in MODULES}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").is_file()] == []


def test_nothing_is_called_after_having_no_idea() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [str(module) for module in MODULES if vague & {module.stem, module.parent.name}] == []


def test_only_modules_that_ask_printable_write_to_a_terminal() -> None:
    """Whoever else prints a stranger's text prints it raw. The two exceptions print nothing of strangers."""
    printing = re.compile(r"typer\.echo\(|(?<![\w.])print\(|\bConsole\(|\bsys\.std(?:out|err)\.write")
    asking = re.compile(r"^from wardgate\.(?:printable|cli\.console) import", re.MULTILINE)
    texts = {str(module.relative_to(ROOT)): module.read_text(encoding="utf-8") for module in MODULES}
    unasked = {name for name, text in texts.items() if printing.search(text) and not asking.search(text)}
    assert {"operator/wardgate/cli/crds.py", "operator/wardgate/cli/version.py"} == unasked
