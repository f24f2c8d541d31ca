"""What a folder's owner leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from wardgate.standalone.exclusion import IGNORE_FILE, BadPatternError, check_pattern
from wardgate.standalone.folder import Folder
from wardgate.standalone.listing import list_files

FILES = ("a.yaml", "values.yaml", "charts/one/values.yaml", "charts/keep.yaml", "ci/deep/b.yaml", "ci/c.generated.yaml")


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


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_ignore_file_that_cannot_be_read_is_told_and_leaves_nothing_out(folder: Path, content: bytes | None) -> None:
    if content is None:
        (folder / IGNORE_FILE).mkdir()
    else:
        (folder / IGNORE_FILE).write_bytes(content)
    scan = Folder([folder]).scan()

    assert [(f"{folder}/{IGNORE_FILE}", 0)] == [(one.file, one.line) for one in scan.diagnostics]
    assert len(FILES) == scan.foreign


@pytest.mark.parametrize("pattern", ["", "!"])
def test_text_that_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPatternError, match=r"for example charts/"):
        check_pattern(pattern)


def test_ignore_file_of_thousands_of_lines_is_heeded(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = "".join(f"charts/service-{number}/templates/\n" for number in range(10_000))
    (folder / IGNORE_FILE).write_text(f"{lines}ci/\n")

    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)
    assert ("", "") == capfd.readouterr()


def test_ignore_file_may_begin_with_a_byte_order_mark(folder: Path) -> None:
    (folder / IGNORE_FILE).write_bytes(b"\xef\xbb\xbfci/\n")

    assert without("ci/deep/b.yaml", "ci/c.generated.yaml") == left(folder)
