"""What may be said about an error that nobody foresaw: where it arose, and not its text, which may quote a Secret."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def place_of(error: BaseException) -> str:
    """``KeyError in _stored, line 50 of objects.py``."""
    *_, last = traceback.extract_tb(error.__traceback__) or [None]
    if last is None:
        return type(error).__name__
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {PurePath(last.filename).name}"
