"""The literal text that every match of a pattern begins with, read from a pattern that need not compile.

Short rather than wrong: the literal ends before the first character that may have a meaning of its own. A pattern with
an alternative or with inline flags has none, because either may undo the text to its left.
"""

from __future__ import annotations

import re
import string
from typing import Final

_LITERAL: Final = frozenset(string.ascii_letters + string.digits + "/_~%@!,;:='&-")
_FOLDS: Final = re.compile(r"\(\?[a-zA-Z-]*i")
_REPEATED: Final = ("*", "?", "{")


def literal_prefix(pattern: str) -> str:
    """The literal beginning of ``pattern``; empty where there is none."""
    if "|" in pattern or _FOLDS.search(pattern):
        return ""
    anchored = pattern.removeprefix("^")
    end = next((at for at, character in enumerate(anchored) if character not in _LITERAL), len(anchored))
    if anchored[end:].startswith(")"):
        return ""
    # A repeated character may occur zero times, so it is no part of the literal.
    return anchored[: max(0, end - 1)] if anchored[end:].startswith(_REPEATED) else anchored[:end]
