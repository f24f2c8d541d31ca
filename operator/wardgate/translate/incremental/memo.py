"""The memory that one translation hands to the next, so that a change costs the objects it touches, not the cluster.

The memory has two parts, and nothing in it is ever changed in place. A *stage* is a part of the translation. Its value
is kept with the inputs it was made of, and holds while these are the identical objects: the store returns the identical
object, and the identical tuple of a kind, until something in it changes. A stage's maker receives the stage's last
value and may reuse unchanged parts, as long as the outcome equals one made from nothing. *Versions* keep the results of
reading one object within a stage.

Rule 1: a translation with a memo and one without give the same bytes.
Rule 2: a value that the last translation did not ask for is forgotten, so that deleted objects, Secrets among them, do
not live on in a memo. A stage that was reused as a whole keeps its versions.
Rule 3: a translation that breaks off leaves the memo unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar, cast

from wardgate.settings import Settings
from wardgate.snapshot import StoredObject

_ValueT = TypeVar("_ValueT")
_Kept: TypeAlias = dict[tuple[int, str], tuple[StoredObject, object]]
"""The key holds the object's identity; the entry keeps the object alive, so that no other one can get that identity."""
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


class Versions:
    """Results of reading single objects in one run of a stage. ``asked`` is handed to the stage's next run."""

    def __init__(self, kept: Mapping[tuple[int, str], tuple[StoredObject, object]] = _NOTHING) -> None:
        self._kept = kept
        self.asked: _Kept = {}
        self.computed = 0
        """Values computed rather than remembered."""

    def of(
        self,
        obj: StoredObject,
        purpose: str,
        *,
        make: Callable[[], _ValueT],
        holds: Callable[[_ValueT], bool] = lambda _: True,
    ) -> _ValueT:
        """The value for this very object; ``purpose`` distinguishes several values of one object.

        The value may depend on the object, the settings, and inputs that ``holds`` checks; on nothing else.
        """
        key = (id(obj), purpose)
        # This run's own value first: one object may be asked for twice.
        entry = self.asked.get(key) or self._kept.get(key)
        if entry is None or not holds(cast("_ValueT", entry[1])):
            entry = (obj, make())
            self.computed += 1
        self.asked[key] = entry
        return cast("_ValueT", entry[1])


@dataclass(frozen=True, slots=True)
class _Stage:
    inputs: tuple[object, ...]
    value: object
    versions: _Kept


class Memo:
    """The memory of a sequence of translations. Owned by one reconciler, handed to every translation."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._last: Mapping[str, _Stage] = _NOTHING
        self._now: dict[str, _Stage] = {}
        self.computed = 0
        """Values of single objects that were computed rather than remembered, since the memo was made."""
        self.ran: list[str] = []
        """The stages that the last translation ran."""

    def begin(self, settings: Settings) -> None:
        """Start a translation. Settings that differ from the last ones make the memo forget everything."""
        if settings is not self._settings and settings != self._settings:
            self._last = _NOTHING
        self._settings = settings
        self._now, self.ran = {}, []

    def stage(
        self,
        name: str,
        inputs: tuple[object, ...],
        *,
        make: Callable[[_ValueT | None, Versions], _ValueT],
        holds: Callable[[_ValueT], bool] = lambda _: True,
    ) -> _ValueT:
        """The value of a stage, computed at most once per translation. ``make`` receives the last value, whatever its
        inputs.

        ``holds`` tells whether a value of identical inputs is still right, for inputs that are discovered only while it
        is made (the Secrets that an object names).
        """
        last = self._last.get(name)
        if last is None or not identical(last.inputs, inputs) or not holds(cast("_ValueT", last.value)):
            versions = Versions(_NOTHING if last is None else last.versions)
            # Stale as a whole, but parts of the last value may still be right.
            value = make(None if last is None else cast("_ValueT", last.value), versions)
            self.computed += versions.computed
            self.ran.append(name)
            last = _Stage(inputs, value, versions.asked)
        self._now[name] = last
        return cast("_ValueT", last.value)

    def end(self) -> None:
        """End a translation: forget the values that it did not ask for."""
        self._last, self._now = self._now, {}


def identical(one: Sequence[object], other: Sequence[object]) -> bool:
    """Whether two sequences hold the same objects, by identity."""
    return len(one) == len(other) and all(map(is_, one, other))
