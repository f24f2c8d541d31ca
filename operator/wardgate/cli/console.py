"""How a diagnostic looks: coloured where a person looks on, plain text in a file or a pipe.

One line each, place first, so that editors and terminals make a link of it. Nothing a user wrote is read as markup, and
nothing of it reaches the terminal that is not graphic (``printable``).
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import IO, Final

import typer

from wardgate.printable import printable
from wardgate.standalone.findings.diagnostics import Diagnostic

_COLOURS: Final = {"error": "red", "warning": "yellow", "note": "cyan"}


class Printer:
    """Writes lines to one stream, as long as somebody reads it."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = _is_coloured(self._stream)

    def line(self, text: str = "", *, colour: str | None = None) -> None:
        """Write one line."""
        self._write(_styled(text, colour=colour))

    def diagnostic(self, one: Diagnostic, *, verbose: bool = False) -> None:
        """Write one problem; below it, if verbose, what is told with it."""
        self._line_of(one, indent="")
        for other in (*one.alike, *one.consequences) if verbose else ():
            self._line_of(other, indent="  ")

    def _line_of(self, one: Diagnostic, *, indent: str) -> None:
        place = f"{one.place}: " if one.place else ""
        rest = str(one).removeprefix(place).removeprefix(one.severity)
        severity = _styled(one.severity, colour=_COLOURS[one.severity], bold=one.severity == "error")
        self._write(_styled(f"{indent}{place}", bold=True) + severity + printable(rest))

    def resolved(self, one: Diagnostic) -> None:
        """Write that a problem is gone, without what there was to do about it."""
        rest = str(replace(one, remedy="", alike=(), consequences=())).partition(f"{one.severity}: ")[2]
        where = f"{one.file}: " if one.file else ""
        self._write(_styled(where, bold=True) + _styled("resolved", colour="green") + printable(f": {rest}"))

    def _write(self, line: str) -> None:
        typer.echo(line, file=self._stream, color=self._coloured)


def _styled(text: str, *, colour: str | None = None, bold: bool | None = None) -> str:
    return typer.style(printable(text), fg=colour, bold=bold) if text else ""


def _is_coloured(stream: IO[str]) -> bool:
    """As terminals' users expect it: https://no-color.org, and the likes of ``FORCE_COLOR`` for a CI job's log."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")
