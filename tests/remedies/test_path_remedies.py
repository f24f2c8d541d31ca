"""Remedies of files and folders, followed on a disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardgate.standalone.findings.diagnostics import Diagnostic
from wardgate.standalone.scan.folder import Folder

_SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"


def _told(folder: Folder) -> list[Diagnostic]:
    return list(folder.scan().diagnostics)


def _remedies(folder: Folder) -> list[str]:
    """Without what holds until they are followed."""
    return [one.remedy.partition(" Until")[0] for one in _told(folder)]


def test_path_that_does_not_exist_is_restored(tmp_path: Path) -> None:
    folder = Folder([tmp_path / "none"])
    assert ["Correct the path, or restore it."] == _remedies(folder)
    (tmp_path / "none").mkdir()
    assert [] == _told(folder)


def test_link_that_points_to_nothing_is_corrected(tmp_path: Path) -> None:
    link = tmp_path / "a.yaml"
    link.symlink_to(tmp_path / "none")
    folder = Folder([tmp_path])
    assert ["Correct the link."] == _remedies(folder)
    link.unlink()
    link.symlink_to(tmp_path / "there")
    (tmp_path / "there").write_text(_SECRET)
    assert [] == _told(folder)


def test_emptied_file_keeps_its_objects_until_it_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(_SECRET)
    folder = Folder([tmp_path])
    assert [] == _told(folder)
    file.write_text("")
    assert ["Remove the file to remove its objects."] == _remedies(folder)
    file.unlink()
    scan = folder.scan()
    assert ((), 0) == (scan.diagnostics, len(scan.items))


def test_line_of_an_ignore_file_is_corrected(tmp_path: Path) -> None:
    ignore = tmp_path / ".wardgateignore"
    ignore.write_text("!\n")
    folder = Folder([tmp_path])
    assert ["Correct it; until then that line leaves nothing out."] == _remedies(folder)
    ignore.write_text("charts/\n")
    assert [] == _told(folder)


@pytest.mark.no_cover
def test_ignore_file_that_is_too_large_is_shortened(tmp_path: Path) -> None:
    ignore = tmp_path / ".wardgateignore"
    ignore.write_text("charts/one/\n" * 100_000)
    folder = Folder([tmp_path])
    assert ["Shorten it; until then this line and those behind it leave nothing out."] == _remedies(folder)
    ignore.write_text("charts/*/\n")
    assert [] == _told(folder)


def test_ignore_file_that_is_none_is_made_one(tmp_path: Path) -> None:
    ignore = tmp_path / ".wardgateignore"
    ignore.mkdir()
    folder = Folder([tmp_path])
    assert ["Make it a text file; until then it leaves nothing out."] == _remedies(folder)
    ignore.rmdir()
    ignore.write_text("charts/\n")
    assert [] == _told(folder)
