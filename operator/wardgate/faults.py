"""The place where an error arose that nobody foresaw. Its text may quote a Secret and is never told."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def place_of(error: BaseException) -> str:
    """``KeyError in _stored, line 50 of objects.py``."""
    *_, last = traceback.extract_tb(error.__traceback__) or [None]
    if last is None:
        return type(error).__name__
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {PurePath(last.filename).name}"
