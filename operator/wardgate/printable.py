"""Text of strangers as it may be shown: on a terminal, in a log, an Event, a condition, a metric.

A manifest's field, a file's name or an API server's message may hold what a terminal obeys (escape sequences), what
turns text around (bidi overrides and isolates), what ends a line (also U+0085, U+2028, U+2029), what is not seen (zero
width), and what cannot be encoded (lone surrogates). All of it is written as in Python: ``\\x1b``, ``\\u202e``. What
Unicode calls graphic, and the blank, is shown as it is (``str.isprintable``).

Every place that shows text goes through here; nothing else decides what may be shown.
"""

from __future__ import annotations

import json
import re
from typing import Final

_COLOUR: Final = re.compile(r"(\x1b\[[0-9;]{0,40}m)")
"""A change of colour, as rich writes it, and no other escape sequence."""


def printable(text: str) -> str:
    """Return the text with everything escaped that is not graphic; line ends too."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def printable_lines(text: str) -> str:
    """Likewise, but lines end where they end."""
    return "\n".join(map(printable, text.split("\n")))


def printable_output(text: str) -> str:
    """Likewise for the output of a program of ours: its lines and its colours are its own."""
    return "\n".join(
        line if line.isprintable() else "".join(map(_uncoloured, _COLOUR.split(line))) for line in text.split("\n")
    )


def printable_json(value: object, *, sort_keys: bool = False) -> str:
    """Write a JSON document for people; what is not graphic is escaped as JSON does."""
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
    return "\n".join(line if line.isprintable() else "".join(map(_escaped_in_json, line)) for line in text.split("\n"))


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _escaped_in_json(character: str) -> str:
    # DEL is the one control character that JSON lets pass.
    return character if character.isprintable() else json.dumps(character)[1:-1].replace("\x7f", "\\u007f")


def _uncoloured(part: str) -> str:
    return part if _COLOUR.fullmatch(part) else printable(part)
