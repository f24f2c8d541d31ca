"""Whether RE2 takes a user's pattern, and so whether the pattern runs in linear time (invariant 9)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

MAX_PATTERN: Final = 4096


@lru_cache(maxsize=4096)
def regex_fault(pattern: str) -> str | None:
    """The reason why ``pattern`` cannot be used, as the end of a sentence; None for a good one."""
    if len(pattern) > MAX_PATTERN:
        return f"it is longer than {MAX_PATTERN} characters"
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        return _text(error)
    except UnicodeError:
        return "it is not valid Unicode text"
    return None


@lru_cache(maxsize=4096)
def group_count(pattern: str) -> int:
    """The number of groups of a good pattern."""
    compiled = re2.compile(pattern, _options())
    return int(compiled.groups)


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


def _text(error: re2.error) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
