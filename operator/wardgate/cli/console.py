"""How a diagnostic looks: coloured where a person looks on, plain text in a file or a pipe.

One line each, place first, so that editors and terminals make a link of it. Nothing a user wrote is read as markup, and
nothing of it reaches the terminal that is not graphic (``printable``).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import IO, Final

from rich.console import Console
from rich.text import Text

from wardgate.printable import printable
from wardgate.standalone.diagnostics import Diagnostic

_STYLES: Final = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def shown(*parts: tuple[str, str]) -> Text:
    """Join texts with their styles into a line that may be shown."""
    return Text.assemble(*((printable(text), style) for text, style in parts))


class Printer:
    """Writes lines to one stream, as long as somebody reads it."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._console = Console(
            file=stream or sys.stdout, soft_wrap=True, markup=False, emoji=False, highlight=False, legacy_windows=False
        )

    def line(self, text: str = "", *, style: str = "") -> None:
        """Write one line."""
        self._console.print(shown((text, style)))

    def diagnostic(self, one: Diagnostic) -> None:
        """Write one problem."""
        place = f"{one.place}: " if one.place else ""
        rest = str(one).removeprefix(place).removeprefix(one.severity)
        self._console.print(shown((place, "bold"), (one.severity, _STYLES[one.severity]), (rest, "")))

    def resolved(self, one: Diagnostic) -> None:
        """Write that a problem is gone, without what there was to do about it."""
        rest = str(replace(one, remedy="")).partition(f"{one.severity}: ")[2]
        where = f"{one.file}: " if one.file else ""
        self._console.print(shown((where, "bold"), ("resolved", "green"), (f": {rest}", "")))
