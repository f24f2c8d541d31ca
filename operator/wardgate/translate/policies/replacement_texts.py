r"""Replacement texts of extractors that are taken literally although their author probably meant a group.

REPLACE_ALL knows ECMAScript's ``$1``, unlike the ``\1`` of a route's substitution; SINGLE_REPLACE knows neither.
"""

from __future__ import annotations

import re
from typing import Final

_BACKSLASH: Final = re.compile(r"\\(\d)")
_GROUP: Final = re.compile(r"\$(?:\d|&)|\\\d")


def misread_group(mode: str, text: str) -> str | None:
    """The end of a sentence about the text, with a correction; None if the text means what it seems to mean."""
    if mode == "REPLACE_ALL" and (found := _BACKSLASH.search(text)):
        return f"holds {found[0]}, which is written as it stands. Write ${found[1]} for the group."
    if mode == "SINGLE_REPLACE" and (found := _GROUP.search(text)):
        return (
            f"holds {found[0]}, which SINGLE_REPLACE writes as it stands. Use REPLACE_ALL, where ${found[0][1]} works."
        )
    return None
