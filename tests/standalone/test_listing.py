"""Which files count, each once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wardgate.standalone.scan.listing import list_files


def names(root: Path) -> list[str]:
    return [str(Path(path).relative_to(root)) for path in list_files([root]).files]


def put(path: Path, content: str = "a: 1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_manifests_of_all_sub_folders_are_listed_by_path(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "sub/deep/c.json", "README.md", "a.yaml.tmp", "a.yaml~"):
        put(tmp_path / name)

    assert ["a.yaml", "b.yml", "sub/deep/c.json"] == names(tmp_path)


def test_hidden_and_kustomization_files_are_left_out(tmp_path: Path) -> None:
    for name in (".a.yaml.swp", ".#a.yaml", ".hidden.yaml", ".git/x.yaml", "kustomization.yaml", "a.yaml"):
        put(tmp_path / name)

    assert ["a.yaml"] == names(tmp_path)


def test_mounted_config_map_is_read_once_through_its_links(tmp_path: Path) -> None:
    put(tmp_path / "..2024_01" / "a.yaml")
    put(tmp_path / "..2024_01" / "sub" / "b.yaml")
    (tmp_path / "..data").symlink_to("..2024_01")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    (tmp_path / "sub").symlink_to("..data/sub")

    assert ["a.yaml", "sub/b.yaml"] == names(tmp_path)


def test_swapped_link_changes_the_signature(tmp_path: Path) -> None:
    put(tmp_path / "..1" / "a.yaml")
    put(tmp_path / "..2" / "a.yaml")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    before = list_files([tmp_path])

    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").replace(tmp_path / "..data")

    assert before != list_files([tmp_path])


def test_link_to_a_parent_ends_only_itself(tmp_path: Path) -> None:
    put(tmp_path / "sub" / "a.yaml")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)

    assert ["sub/a.yaml"] == names(tmp_path)


def test_file_under_two_names_is_listed_once(tmp_path: Path) -> None:
    put(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").symlink_to("a.yaml")

    assert ["a.yaml"] == names(tmp_path)


def test_link_outside_the_folder_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.yaml")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "elsewhere")

    assert ["linked/a.yaml"] == names(root)


def test_link_to_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("gone.yaml")
    (tmp_path / "other").symlink_to("gone")

    assert {str(tmp_path / "a.yaml"): "The link points to nothing."} == {
        path: message for path, (message, _) in list_files([tmp_path]).unreadable.items()
    }


def test_link_to_itself_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("a.yaml")

    assert [str(tmp_path / "a.yaml")] == list(list_files([tmp_path]).unreadable)


def test_root_that_is_not_there_is_reported(tmp_path: Path) -> None:
    assert "It does not exist." == list_files([tmp_path / "no"]).unreadable[str(tmp_path / "no")][0]


def test_file_as_root_counts_whatever_its_name(tmp_path: Path) -> None:
    path = put(tmp_path / "manifest.txt")

    assert [str(path)] == list(list_files([path]).files)


def test_current_folder_is_not_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "sub" / "a.yaml")
    monkeypatch.chdir(tmp_path)

    assert ["sub/a.yaml"] == list(list_files([Path()]).files)


def test_pipe_in_a_folder_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")

    assert [] == names(tmp_path)


def test_folder_that_cannot_be_opened_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "sub" / "a.yaml")
    real = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("wardgate.standalone.scan.listing.os.scandir", refuse)

    assert {str(tmp_path / "sub"): ("It cannot be read: Permission denied.", "Mend its permissions.")} == (
        list_files([tmp_path]).unreadable
    )


def test_file_that_vanishes_while_it_is_listed_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.yaml")

    class Vanished:
        name = "a.yaml"

        def is_symlink(self) -> bool:
            return False

        def is_dir(self) -> bool:
            return False

        def stat(self) -> os.stat_result:
            raise FileNotFoundError

    class Entries:
        def __enter__(self) -> list[Vanished]:
            return [Vanished()]

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr("wardgate.standalone.scan.listing.os.scandir", lambda _: Entries())
    found = list_files([tmp_path])

    assert ({}, {}) == (found.files, found.unreadable)
