"""No command of a document is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.blocks import DOCUMENTS, commands_of, name_of
from tests.documents.places import PLACES, Place


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_has_a_place_where_it_is_run(path: Path) -> None:
    commands = commands_of(path)
    rows = PLACES.get(name_of(path), ())

    assert [start for start, _ in rows] == [
        command.text[: len(start)]
        for command, (start, _) in zip(commands, [*rows, *[("", Place.ALONE)] * len(commands)], strict=False)
    ]


def test_every_document_that_has_a_place_exists() -> None:
    assert set() == set(PLACES) - {name_of(path) for path in DOCUMENTS}
