"""Remedies for the commonest mistakes in templates.

The template library's own words stay unchanged, because users can look them up; a hint follows them. A mistake without
a better remedy than "correct it" gets no hint.
"""

from __future__ import annotations

import difflib
import re
from typing import Final

from wardgate.inja.errors import TemplateError
from wardgate.inja.template import FUNCTIONS
from wardgate.text_codec import to_bytes

_SPELLINGS: Final = {name.lower(): name for name in (*FUNCTIONS, "default", "super")}
_UNKNOWN: Final = re.compile(r"unknown function (\S+)\Z")


def template_hint(error: TemplateError, text: str) -> str:
    """A sentence about an error in the template ``text``; empty without a hint."""
    unknown = _UNKNOWN.search(error.message)
    if unknown:
        return _about_function(unknown[1])
    if _character_at(error, text) == b"'":
        return "Put texts in double quotes."
    return ""


def _about_function(name: str) -> str:
    """A hint about an unknown function. The library also calls a function unknown that has the wrong number of
    arguments.
    """
    if name in _SPELLINGS.values():
        return f"Check the number of arguments that {name} is given."
    near = difflib.get_close_matches(name.lower(), _SPELLINGS, n=1)
    return f"Did you mean {_SPELLINGS[near[0]]}?" if near else ""


def _character_at(error: TemplateError, text: str) -> bytes:
    """The byte that the error points at; empty if it points nowhere."""
    if error.line is None or error.column is None:
        return b""
    lines = to_bytes(text).split(b"\n")
    line = lines[error.line - 1] if error.line <= len(lines) else b""
    return line[error.column - 1 : error.column]
