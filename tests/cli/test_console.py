"""When a line has colours, and that a diagnostic's colours are the only ones in it."""

from __future__ import annotations

import io

import pytest

from wardgate.cli.console import Printer
from wardgate.problems import Reason
from wardgate.standalone.findings.diagnostics import Diagnostic

ONE = Diagnostic("error", "a.yaml", 3, 1, "RouteTable a/b", "spec", Reason.INVALID, "spec is \x1b[32mwrong.")
RED, BOLD, END = "\x1b[31m", "\x1b[1m", "\x1b[0m"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def printed(stream: io.StringIO) -> str:
    Printer(stream).diagnostic(ONE)
    return stream.getvalue()


def test_terminal_gets_colours_and_a_strangers_are_escaped() -> None:
    text = f"{BOLD}a.yaml:3:1: {END}{RED}{BOLD}error{END}: RouteTable a/b: spec is \\x1b[32mwrong. [Invalid]\n"

    assert text == printed(Terminal())


def test_file_gets_plain_text() -> None:
    assert "a.yaml:3:1: error: RouteTable a/b: spec is \\x1b[32mwrong. [Invalid]\n" == printed(io.StringIO())


@pytest.mark.parametrize(
    ("stream", "name", "value", "coloured"),
    [
        (Terminal(), "NO_COLOR", "1", False),
        (Terminal(), "NO_COLOR", "", True),
        (Terminal(), "TERM", "dumb", False),
        (io.StringIO(), "FORCE_COLOR", "1", True),
    ],
)
def test_environment_decides_on_colours(
    environment: pytest.MonkeyPatch, stream: io.StringIO, name: str, value: str, *, coloured: bool
) -> None:
    environment.setenv(name, value)

    assert coloured == (RED in printed(stream))


def test_empty_line_has_no_colours() -> None:
    stream = Terminal()
    Printer(stream).line()

    assert "\n" == stream.getvalue()
