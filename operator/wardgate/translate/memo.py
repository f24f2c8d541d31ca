"""What is costly per object is computed once per version of it.

A value kept here may depend on the object's manifest and on the settings, and on nothing else: then a translation with
a memo and one without give the same bytes. A memo forgets whatever the last translation did not ask for, so that
deleted objects (and the Secrets among them) do not live on in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject

_ValueT = TypeVar("_ValueT")
_Key: TypeAlias = tuple[ObjectRef, str, int, str]


class Memo:
    """Owned by one reconciler, handed to every translation. Drop it when history was rolled back."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._kept: dict[_Key, object] = {}
        self._touched: dict[_Key, object] = {}
        self.computed = 0
        """How many values were computed rather than remembered, since the memo was made."""

    def __len__(self) -> int:
        return len(self._kept)

    def begin(self, settings: Settings) -> None:
        """Start a translation. Other settings than last time: everything is forgotten."""
        if settings != self._settings:
            self._kept = {}
        self._settings = settings
        self._touched = {}

    def of(self, obj: StoredObject, purpose: str, make: Callable[[], _ValueT]) -> _ValueT:
        """The value for this version of ``obj``; ``purpose`` tells apart what is kept for one object."""
        key = (obj.ref, obj.uid, obj.version, purpose)
        if key in self._touched:
            return cast("_ValueT", self._touched[key])
        if key in self._kept:
            value = cast("_ValueT", self._kept[key])
        else:
            value = make()
            self.computed += 1
        self._touched[key] = value
        return value

    def end(self) -> None:
        """End a translation: what it did not ask for is forgotten."""
        self._kept, self._touched = self._touched, {}
