"""Which form of an object is served: the one that was applied, its last good one, or none (invariant 6).

An object that was good and turns bad keeps its last good form. The form is read again every time, against the objects
of today: a last good manifest whose reference has vanished since is as bad as the new one. An object that was deleted
and made anew (another ``uid``) begins without a past.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from wardgate.problems import ObjectRef, Problem
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import ParsedObject, has_error
from wardgate.translate.findings import Findings
from wardgate.translate.memo import Memo
from wardgate.translate.parsing import parse_stored

LastGood: TypeAlias = Mapping[ObjectRef, StoredObject]
"""The newest accepted manifest of every policy and routing object."""

_ValueT = TypeVar("_ValueT")
_ModelT = TypeVar("_ModelT")
Parsing: TypeAlias = tuple[ParsedObject[_ModelT] | None, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Reading(Generic[_ValueT]):
    """What came of reading one version of one object. ``value`` beside errors is what could be made of it."""

    value: _ValueT | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Served(Generic[_ValueT]):
    """``stored`` is what was applied; ``form`` is the version that ``value`` comes from, None if it is closed.

    A closed object may have a ``value`` all the same: the part of it that is good. ``past`` is its last good form
    where that is another version and not served either, because by now it is bad as well.
    """

    stored: StoredObject
    form: StoredObject | None
    value: _ValueT | None
    past: StoredObject | None = None

    @property
    def ref(self) -> ObjectRef:
        """The object."""
        return self.stored.ref

    @property
    def is_current(self) -> bool:
        """What was applied is what is served."""
        return self.form is self.stored


class Forms:
    """Reads objects for one translation; remembers which of them are served in their last good form."""

    def __init__(self, last_good: LastGood, *, memo: Memo, findings: Findings) -> None:
        self._last_good = last_good
        self._memo = memo
        self._findings = findings
        self.served_instead: dict[ObjectRef, StoredObject] = {}
        """Objects whose last good form is served."""

    def parse(self, stored: StoredObject, model: type[_ModelT]) -> Parsing[_ModelT]:
        """The model of one version, or None with the errors."""
        return self._memo.of(stored, "parsed", lambda: parse_stored(stored, model))

    def last_good(self, stored: StoredObject) -> StoredObject | None:
        """The last good version of an object, if it is another one than ``stored``."""
        good = self._last_good.get(stored.ref)
        if good is None or good.uid != stored.uid or good.version == stored.version:
            return None
        return good

    def settle(
        self,
        stored: StoredObject,
        model: type[_ModelT],
        read: Callable[[ParsedObject[_ModelT]], Reading[_ValueT]],
    ) -> Served[_ValueT]:
        """Read what was applied; where that has an error, the last good form."""
        reading = self._read(stored, model, read)
        self._findings.extend(reading.problems)
        if not has_error(reading.problems):
            return Served(stored, stored, reading.value)
        return self._fall_back(stored, reading.value, model, read)

    def _fall_back(
        self,
        stored: StoredObject,
        rest: _ValueT | None,
        model: type[_ModelT],
        read: Callable[[ParsedObject[_ModelT]], Reading[_ValueT]],
    ) -> Served[_ValueT]:
        good = self.last_good(stored)
        if good is not None:
            past = self._read(good, model, read)
            if not has_error(past.problems):
                self.served_instead[stored.ref] = good
                return Served(stored, good, past.value)
        return Served(stored, None, rest, good)

    def _read(
        self,
        stored: StoredObject,
        model: type[_ModelT],
        read: Callable[[ParsedObject[_ModelT]], Reading[_ValueT]],
    ) -> Reading[_ValueT]:
        parsed, problems = self.parse(stored, model)
        if parsed is None:
            return Reading(None, problems)
        reading = read(parsed)
        return Reading(reading.value, (*problems, *reading.problems))
