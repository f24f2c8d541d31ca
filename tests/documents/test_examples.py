"""The examples' READMEs are followed, word for word."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from examples.demo.processes import Program
from tests.documents.blocks import ROOT, Command, blocks_of, commands_of, is_as_shown
from tests.documents.desk import Desk, difference
from tests.documents.places import PLACES, Place

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"
HUGGINGFACE, STEPS = EXAMPLES / "huggingface" / "README.md", EXAMPLES / "huggingface-steps" / "README.md"
SERVED = ("anthropic", "huggingface", "huggingface-router", "openai")
LIVE_SECONDS = 20.0


def is_server(command: Command) -> bool:
    return "examples/provider" in command.text or "wardgate run" in command.text


@pytest.fixture
def provider(desk: Desk) -> Program:
    """The stand-in, started as the README to which the others point starts it."""
    (command,) = [each for each in commands_of(HUGGINGFACE) if "examples/provider" in each.text]
    return desk.start(command.text, "provider: serving")


def serve(desk: Desk, example: str) -> list[Command]:
    """Start the gateway of an example's README; give the other commands, which are those to try."""
    commands = commands_of(EXAMPLES / example / "README.md")
    (gateway,) = [each for each in commands if "wardgate run" in each.text]
    desk.start(gateway.text, "live in")
    return [each for each in commands if not is_server(each)]


@pytest.mark.parametrize("example", SERVED)
def test_an_example_does_what_its_readme_says(desk: Desk, provider: Program, example: str) -> None:
    tries = serve(desk, example)
    (program,) = blocks_of(EXAMPLES / example / "README.md", "python")

    wrong = [difference(desk, each) for each in tries]
    ended = run_python(desk.typed(program.text))

    assert len(tries) == 2
    assert not any(wrong), "\n".join(wrong)
    assert (0, "") == (ended.returncode, ended.stderr)
    assert "The key stayed at the gate." in ended.stdout


def test_keys_of_two_teams_are_exchanged_for_one_token(desk: Desk, provider: Program) -> None:
    tries = serve(desk, "shared-token")
    wrong = [difference(desk, each) for each in tries]
    assert len(tries) == 2
    assert not any(wrong), "\n".join(wrong)


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_provider_prints_what_its_readme_shows(desk: Desk, provider: Program) -> None:
    (command,) = commands_of(EXAMPLES / "provider" / "README.md")
    (same,) = [each for each in commands_of(HUGGINGFACE) if "examples/provider" in each.text]
    lines = [line for each in (command, same) for line in desk.typed(each.shown).splitlines()]

    for each in serve(desk, "anthropic"):
        desk.run(each.text)
    provider.wait_for("POST /v1/messages", seconds=LIVE_SECONDS)

    assert command.text == same.text
    assert [] == [line for line in lines if not any(is_as_shown(line, printed) for printed in provider.lines)]


def test_each_step_of_the_lab_does_what_its_row_says(desk: Desk, provider: Program) -> None:
    prepare, gateway = commands_of(STEPS)
    assert 0 == desk.run(prepare.text).returncode
    desk.start(gateway.text, "live in")
    text = STEPS.read_text()
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    revoked = re.search(r"`(rm [^`]+)` revokes the key: (\d+)", text)
    assert revoked is not None

    for _, do, then in rows:
        for copy in re.findall(r"`(cp [^`]+)`", do):
            assert 0 == desk.run(copy).returncode
        for request, status in re.findall(r"`(curl [^`]+)` gives (\d+)", then):
            wait_for_status(desk, request, status)
    assert len(rows) == 6
    assert 0 == desk.run(revoked[1]).returncode
    wait_for_status(desk, "curl -H 'api-key: mysecretkey' ...", revoked[2])


def wait_for_status(desk: Desk, request: str, status: str) -> None:
    """Ask until the answer has the status; ``...`` stands for the address that the first row names."""
    text = request.replace("...", "http://127.0.0.1:8081/huggingface")
    asking = f"{text} --silent --output /dev/null --write-out '%{{http_code}}'"
    deadline = time.monotonic() + LIVE_SECONDS
    while (answered := desk.run(asking).stdout) != status and time.monotonic() < deadline:
        pass
    assert status == answered, request


def test_every_example_with_commands_is_followed() -> None:
    followed = {*SERVED, "huggingface-steps", "provider", "shared-token"}
    named = {document for document, rows in PLACES.items() if Place.EXAMPLE in dict(rows).values()}

    assert {f"examples/{name}/README.md" for name in followed} == named
