"""Options that several commands share are one parameter of each command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from wardgate.cli.options.option_groups import chosen, grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    colour: Annotated[str, typer.Option("--colour", envvar="TEST_COLOUR")] = "red"
    coats: Annotated[list[int] | None, typer.Option("--coat")] = None
    tin: Annotated[Path | None, typer.Option("--tin")] = None


def application(received: list[object]) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command()
    @grouped
    def paint(wall: str, *, given: Paint = Paint(colour="blue"), dry: bool = False) -> None:
        """Paint a wall."""
        received.extend((wall, given, dry))

    return app


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["north"], ["north", Paint(colour="blue"), False]),
        (["north", "--dry", "--coat", "1", "--coat", "2"], ["north", Paint(colour="blue", coats=[1, 2]), True]),
        (["north", "--colour", "green", "--tin", "a"], ["north", Paint(colour="green", tin=Path("a")), False]),
    ],
)
def test_command_is_given_the_group(words: list[str], expected: list[object]) -> None:
    received: list[object] = []

    ended = CliRunner().invoke(application(received), words)

    assert (0, expected) == (ended.exit_code, received)


def test_variable_of_an_option_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[object] = []
    monkeypatch.setenv("TEST_COLOUR", "white")

    CliRunner().invoke(application(received), ["north"])

    assert ["north", Paint(colour="white"), False] == received


def test_help_shows_the_options_in_order_with_the_defaults_of_the_command() -> None:
    text = CliRunner(env={"NO_COLOR": "1", "TERM": "dumb"}).invoke(application([]), ["--help"]).output

    assert ["--colour", "--coat", "--tin", "--dry"] == re.findall(r"--(?:colour|coat|tin|dry)\b", text)
    assert "default: blue" in text


def test_what_was_not_given_is_left_to_the_settings() -> None:
    assert {"colour": "red"} == chosen(Paint(), many=tuple)
    assert {"colour": "red", "coats": (1, 2), "tin": "a"} == chosen(Paint(coats=[1, 2], tin=Path("a")), many=tuple)
