"""Commands of the documents that need nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.blocks import DOCUMENTS, Command, commands_of, name_of
from tests.documents.desk import Desk, difference
from tests.documents.places import PLACES, Place

pytestmark = pytest.mark.slow

ALONE = [
    command
    for path in DOCUMENTS
    for command, (_, place) in zip(commands_of(path), PLACES.get(name_of(path), ()), strict=False)
    if place is Place.ALONE
]


def name(command: Command) -> str:
    return f"{command.document}:{command.line}"


@pytest.mark.parametrize("command", [each for each in ALONE if "wardgate run" not in each.text], ids=name)
def test_a_command_prints_what_is_shown(desk: Desk, helm: Path, command: Command) -> None:
    desk.variables["PATH"] += f":{helm.parent}"
    wrong = difference(desk, command, status=1 if command.shown.startswith("Error: ") else 0)

    assert not wrong, wrong


@pytest.mark.parametrize("command", [each for each in ALONE if "wardgate run" in each.text], ids=name)
def test_a_gateway_starts_as_shown(desk: Desk, command: Command) -> None:
    desk.start(command.text, "live in")
