"""Whether a manifest is what JSON can say, and of a size that can be walked.

YAML can say more: dates, sets, bytes, keys that are no text, aliases that contain themselves or multiply without end.
Everything behind this check may take a manifest for a finite tree of plain values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wardgate.problems import FieldPath

MAX_DEPTH: Final = 64
MAX_NODES: Final = 400_000
"""Values in one object; an object that the API server can store has far fewer."""

_PLAIN: Final = frozenset({bool, int, type(None)})


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a manifest is no JSON. ``complaint`` continues a sentence that begins with the path."""

    path: FieldPath
    complaint: str


class _FlawError(Exception):
    def __init__(self, complaint: str, path: FieldPath = ()) -> None:
        super().__init__(complaint)
        self.complaint = complaint
        self.path = path


def find_flaw(manifest: Mapping[str, object]) -> Flaw | None:
    """The first place where the manifest is no JSON, or None."""
    try:
        _Walk().visit(dict(manifest), depth=0)
    except _FlawError as error:
        return Flaw(error.path, error.complaint)
    return None


class _Walk:
    """Counts as it goes; the path is put together only on the way out of a flaw."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def visit(self, value: object, *, depth: int) -> None:
        kind = type(value)
        if kind in _PLAIN:
            return
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict | list):
            self._enter(value, depth)
        elif not isinstance(value, float):
            msg = f"is of the YAML type {kind.__name__}, which an object cannot hold; put it in quotes"
            raise _FlawError(msg)
        elif not math.isfinite(value):
            msg = "is no finite number; put it in quotes"
            raise _FlawError(msg)

    def _enter(self, value: dict[object, object] | list[object], depth: int) -> None:
        self._left -= len(value)
        if depth >= MAX_DEPTH or self._left < 0:
            limit = f"more than {MAX_DEPTH} levels" if depth >= MAX_DEPTH else f"more than {MAX_NODES} values"
            msg = f"is too large: the object has {limit}, perhaps through YAML aliases; split it up"
            raise _FlawError(msg)
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._step(index, item, depth=depth)
        else:
            for key, item in value.items():
                self._step(_checked_key(key), item, depth=depth)

    def _step(self, step: str | int, item: object, *, depth: int) -> None:
        try:
            self.visit(item, depth=depth + 1)
        except _FlawError as error:
            error.path = (step, *error.path)
            raise


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        msg = f"has a key of the YAML type {type(key).__name__}; put the key in quotes"
        raise _FlawError(msg)
    _check_text(key)
    return key


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = "holds half of a surrogate pair, which is no character; remove it"
        raise _FlawError(msg) from None
