"""Errors that end a command: a sentence for the person who typed it, and an exit status. Never a traceback."""

from __future__ import annotations

from typing import Final

USAGE: Final = 2
"""Exit status of a command line that cannot be followed as it was typed."""


class CommandError(Exception):
    """The command cannot do what it was asked; the text says why and what to do."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
