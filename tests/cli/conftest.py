"""The command line as a fixture."""

from __future__ import annotations

import os

import pytest

from tests.cli.command_line import Ended, Wardgate, run_main


@pytest.fixture
def wardgate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Wardgate:
    """Call it like the command, in an environment that says nothing about Wardgate."""
    for name in [name for name in os.environ if name.startswith("WARDGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str, stdin: bytes = b"") -> Ended:
        return run_main(capsys, monkeypatch, arguments, stdin)

    return call
