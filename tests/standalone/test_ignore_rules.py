"""Files that a folder's owner leaves out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wardgate.standalone.scan.folder import Folder
from wardgate.standalone.scan.ignore_rules import IGNORE_FILE, BadPatternError, check_pattern
from wardgate.standalone.scan.listing import list_files

FILES = ("a.yaml", "values.yaml", "charts/one/values.yaml", "charts/keep.yaml", "ci/deep/b.yaml", "ci/c.generated.yaml")
LARGEST = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    return tmp_path


def left(folder: Path, *exclude: str) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in list_files([folder], exclude).files]


def without(*names: str) -> list[str]:
    return sorted(set(FILES).difference(names))


@pytest.mark.parametrize(
    ("pattern", "gone"),
    [
        ("values.yaml", ("values.yaml", "charts/one/values.yaml")),
        ("/values.yaml", ("values.yaml",)),
        ("charts/", ("charts/one/values.yaml", "charts/keep.yaml")),
        ("charts/*", ("charts/one/values.yaml", "charts/keep.yaml")),
        ("charts/*.yaml", ("charts/keep.yaml",)),
        ("ci/**/b.yaml", ("ci/deep/b.yaml",)),
        ("*.generated.yaml", ("ci/c.generated.yaml",)),
        ("# a.yaml", ()),
    ],
)
def test_pattern_leaves_out_what_git_would(folder: Path, pattern: str, gone: tuple[str, ...]) -> None:
    (folder / IGNORE_FILE).write_text(f"# mine\n\n{pattern}\n")

    assert without(*gone) == left(folder)


@pytest.mark.parametrize("pattern", ["charts/", "*.generated.yaml"])
def test_option_leaves_out_the_same(folder: Path, pattern: str) -> None:
    by_option = left(folder, pattern)
    (folder / IGNORE_FILE).write_text(pattern)

    assert left(folder) == by_option


def test_several_options_add_up_and_the_last_word_counts(folder: Path) -> None:
    (folder / IGNORE_FILE).write_text("values.yaml\nci/\n")

    assert without("charts/one/values.yaml", "ci/deep/b.yaml", "ci/c.generated.yaml", "a.yaml") == left(
        folder, "!/values.yaml", "a.yaml"
    )


def test_each_folder_has_its_own_ignore_file(folder: Path) -> None:
    (folder / "ci" / IGNORE_FILE).write_text("deep/\n")

    found = list_files([folder / "charts", folder / "ci"]).files

    assert ["charts/keep.yaml", "charts/one/values.yaml", "ci/c.generated.yaml"] == [
        str(Path(path).relative_to(folder)) for path in found
    ]


def test_current_directory_is_a_folder_like_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / IGNORE_FILE).write_text("/charts/\nvalues.yaml\n")

    assert ["a.yaml", "ci/c.generated.yaml", "ci/deep/b.yaml"] == [*list_files([Path()]).files]


def test_file_given_by_its_own_path_is_read_all_the_same(folder: Path) -> None:
    assert [str(folder / "a.yaml")] == [*list_files([folder / "a.yaml"], ("a.yaml", "*.yaml")).files]


def test_ignore_file_that_changes_counts_at_the_next_look(folder: Path) -> None:
    scans = Folder([folder])
    counts = [scans.scan().foreign]
    (folder / IGNORE_FILE).write_text("charts/\n")
    counts.append(scans.scan().foreign)
    (folder / IGNORE_FILE).unlink()
    counts.append(scans.scan().foreign)

    assert [6, 4, 6] == counts


def test_line_that_is_no_pattern_is_told_and_the_others_count(folder: Path) -> None:
    (folder / IGNORE_FILE).write_text("charts/\n!\nci/\n")
    scan = Folder([folder]).scan()
    (told,) = scan.diagnostics

    assert (f"{folder}/{IGNORE_FILE}", 2, "error") == (told.file, told.line, told.severity)
    assert '"!" is not a pattern' in told.message
    assert 2 == scan.foreign


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe"), "It is not UTF-8 text."),
        (lambda path: path.symlink_to(path), "It cannot be read: Too many levels of symbolic links."),
        (Path.mkdir, "It is no file."),
        (os.mkfifo, "It is no file."),
        (lambda path: path.symlink_to("/dev/zero"), "It is no file."),
    ],
    ids=["no text", "unreadable", "directory", "pipe", "device"],
)
def test_ignore_file_that_cannot_be_read_is_told_and_leaves_nothing_out(
    folder: Path, make: Callable[[Path], object], told: str
) -> None:
    make(folder / IGNORE_FILE)
    scan = Folder([folder]).scan()

    assert [(f"{folder}/{IGNORE_FILE}", 0, "error", told)] == [
        (one.file, one.line, one.severity, one.message) for one in scan.diagnostics
    ]
    assert len(FILES) == scan.foreign


@pytest.mark.parametrize("pattern", ["charts/one/", "charts\u00e4"])
@pytest.mark.parametrize("cut", [6, 7])
def test_ignore_file_that_is_too_large_counts_up_to_its_last_whole_line(folder: Path, pattern: str, cut: int) -> None:
    begin = "ci/\n#"
    filling = "x" * (LARGEST - len(begin) - 1 - cut)
    (folder / IGNORE_FILE).write_text(f"{begin}{filling}\n{pattern}\n#{'x' * 20}\n")
    (told,) = Folder([folder]).scan().diagnostics

    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)
    assert (3, "error", "The file has more than 1024 KiB.") == (told.line, told.severity, told.message)


def test_ignore_file_as_large_as_may_be_counts_whole(folder: Path) -> None:
    (folder / IGNORE_FILE).write_text(f"#{'x' * (LARGEST - 5)}\nci/")

    assert [] == [*Folder([folder]).scan().diagnostics]
    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)


@pytest.mark.parametrize("pattern", ["", "!"])
def test_text_that_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError, match=r"for example charts/"):
        check_pattern(pattern)


@pytest.mark.no_cover
def test_ignore_file_of_thousands_of_lines_is_heeded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f"charts/service-{number}/templates/\n" for number in range(10_000))
    (folder / IGNORE_FILE).write_text(f"{lines}ci/\n")

    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)
    assert ("", "") == capfd.readouterr()


def test_ignore_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    (folder / IGNORE_FILE).write_bytes(b"\xef\xbb\xbfci/\n")

    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)
