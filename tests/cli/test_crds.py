"""``wardgate crds`` prints and writes the definitions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cli.command_line import Wardgate
from wardgate.api.kinds.registry import KINDS
from wardgate.api.schema.crds import file_name, render


def test_all_kinds_are_printed_as_one_stream(wardgate: Wardgate) -> None:
    ended = wardgate("crds")
    found = [document["spec"]["names"]["kind"] for document in yaml.load_all(ended.out, yaml.CSafeLoader)]

    assert list(KINDS) == found


@pytest.mark.parametrize("name", ["ExtAuthPolicy", "extauthpolicies", "extauth"])
def test_one_kind_is_chosen_by_any_of_its_names(wardgate: Wardgate, name: str) -> None:
    assert render(KINDS["ExtAuthPolicy"]) == wardgate("crds", name).out


def test_unknown_kind_is_refused_with_those_there_are(wardgate: Wardgate) -> None:
    ended = wardgate("crds", "Gateway")

    assert 2 == ended.status
    assert 'wardgate: There is no kind "Gateway"; there are ExtAuthPolicy,' in ended.err


def test_files_are_written_and_named(wardgate: Wardgate, tmp_path: Path) -> None:
    target = tmp_path / "new" / "crds"
    ended = wardgate("crds", "--output-dir", str(target))

    assert sorted(file_name(kind) for kind in KINDS.values()) == sorted(path.name for path in target.iterdir())
    assert [str(target / file_name(kind)) for kind in KINDS.values()] == ended.out.splitlines()
    assert render(KINDS["RouteTable"]) == (target / file_name(KINDS["RouteTable"])).read_text()


def test_folder_that_cannot_be_written_is_a_sentence(wardgate: Wardgate, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = wardgate("crds", "--output-dir", str(tmp_path / "file" / "crds"))

    assert 1 == ended.status
    assert "cannot be written: Not a directory." in ended.err
