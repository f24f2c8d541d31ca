"""Commands of the documents that need nothing beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documents.blocks import DOCUMENTS, Command, commands_of, name_of
from tests.documents.desk import Desk, difference
from tests.documents.places import PLACES, Place

pytestmark = pytest.mark.slow


def placed(wanted: Place) -> list[Command]:
    return [
        command
        for path in DOCUMENTS
        for command, (_, place) in zip(commands_of(path), PLACES.get(name_of(path), ()), strict=False)
        if place is wanted
    ]


ALONE = placed(Place.ALONE)


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


def test_what_is_excluded_is_not_checked(desk: Desk) -> None:
    check, ignore = placed(Place.REPOSITORY)
    repository = desk.folder / "manifests"
    for name in ("charts/web/templates/route.yaml", "routes.generated.yaml"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("kind: RouteTable\nspec: [\n")

    assert 1 == desk.run("wardgate check .", folder=repository).returncode
    assert 0 == desk.run(check.text, folder=repository).returncode
    assert 0 == desk.run(ignore.text, folder=repository).returncode
    assert 0 == desk.run("wardgate check .", folder=repository).returncode
