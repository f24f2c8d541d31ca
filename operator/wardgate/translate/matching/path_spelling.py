"""Paths that owners write in matchers, brought into the one spelling of requests' paths (``url_path``).

A matcher in another spelling would match nothing, and a guard on it would guard nothing. Exact paths and prefixes are
rewritten. A pattern cannot be; a literal in it that no path holds is reported.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from wardgate.text_codec import to_bytes
from wardgate.url_path import normalise, normalise_prefix

_OF_OPTIONS: Final = "*"
"""The request target of an OPTIONS request to the server as a whole: no path, so it is kept (RFC 9112, 3.2.4)."""
_SUSPECT: Final = re.compile(r"//(?![?*{])|%[0-9A-Fa-f]{2}|[^\x00-\x7f]")


def path_form(kind: Literal["exact", "prefix"], value: str) -> str | None:
    """The normal form of an exact path or a prefix; None if no request's path is or begins so."""
    if not value or (kind == "exact" and value == _OF_OPTIONS):
        return value
    if "?" in value or value[0] not in "/\\":
        return None
    form = (normalise if kind == "exact" else normalise_prefix)(to_bytes(value))
    return None if form is None else form.decode("ascii")


def strange_literal(pattern: str) -> str | None:
    """A literal in a pattern that no request's path holds in this form; None if none is found."""
    return next((one for one in _SUSPECT.findall(pattern) if _is_strange(one, pattern)), None)


def _is_strange(literal: str, pattern: str) -> bool:
    if not literal.startswith("%"):
        return True
    form = normalise(b"/" + literal.encode())
    if form is None or b"%" not in form:
        return True
    return form != b"/" + literal.encode() and "(?i" not in pattern
