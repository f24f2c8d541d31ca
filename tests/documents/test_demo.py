"""``make demo`` as the demo's README offers it."""

from __future__ import annotations

import pytest

from tests.documents.blocks import ROOT, Command, commands_of, name_of
from tests.documents.desk import Desk
from tests.documents.places import PLACES, Place

pytestmark = pytest.mark.slow

README = ROOT / "examples" / "demo" / "README.md"
DEMOS = [
    command
    for command, (_, place) in zip(commands_of(README), PLACES[name_of(README)], strict=True)
    if place is Place.DEMO
]


@pytest.mark.parametrize("command", DEMOS, ids=lambda command: command.text)
def test_the_demo_serves(desk: Desk, command: Command) -> None:
    """Make is told that the packages are installed: the tests run from them."""
    text = command.text.replace("make demo", "make -o .venv/.installed-demo demo")
    port = "18081" if "PORT=18081" in text else "8081"
    program = desk.start(f"PORT=8081 {text}", "Ctrl-C ends", folder=ROOT)

    assert any(f"http://127.0.0.1:{desk.ports[port]}/huggingface" in line for line in program.lines)
