"""What one translation leaves to the next, so that a change costs what it touches and not the whole cluster.

Two things are kept, and nothing is ever changed in place. A *stage* is a part of the translation; its value is kept
with the inputs it was made of, and holds as long as these are the identical objects (the store shows the identical
object, and the identical tuple of a kind, until something changes in it). Its maker is handed the stage's last value,
and may take over what is unchanged in it, as long as the outcome is what it would have been from nothing. *Versions*
keep what was read from one object within a stage.

Rule 1: a translation with a memo and one without give the same bytes.
Rule 2: what the last translation did not ask for is forgotten, so that deleted objects (and the Secrets among them) do
not live on in a memo. A stage that was taken over as a whole keeps its versions with it.
Rule 3: a translation that breaks off leaves the memo as it was.
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
"""By the identity of the object, which is kept beside the value: so no other object can come to have that identity."""
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})


class Versions:
    """What is read from single objects in one run of a stage. ``asked`` is handed to the stage's next run."""

    def __init__(self, kept: Mapping[tuple[int, str], tuple[StoredObject, object]] = _NOTHING) -> None:
        self._kept = kept
        self.asked: _Kept = {}
        self.computed = 0
        """How many values were computed rather than remembered."""

    def of(
        self,
        obj: StoredObject,
        purpose: str,
        make: Callable[[], _ValueT],
        *,
        holds: Callable[[_ValueT], bool] = lambda _: True,
    ) -> _ValueT:
        """The value for this very object; ``purpose`` tells apart what is kept for one object.

        It may depend on the object and the settings, and on nothing else that ``holds`` does not look at.
        """
        key = (id(obj), purpose)
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
    """Owned by one reconciler, handed to every translation."""

    def __init__(self) -> None:
        self._settings: Settings | None = None
        self._last: Mapping[str, _Stage] = _NOTHING
        self._now: dict[str, _Stage] = {}
        self.computed = 0
        """How many values of single objects were computed rather than remembered, since the memo was made."""
        self.ran: list[str] = []
        """The stages that the last translation had to run."""

    def begin(self, settings: Settings) -> None:
        """Start a translation. Other settings than last time: everything is forgotten."""
        if settings is not self._settings and settings != self._settings:
            self._last = _NOTHING
        self._settings = settings
        self._now, self.ran = {}, []

    def stage(
        self,
        name: str,
        inputs: tuple[object, ...],
        make: Callable[[_ValueT | None, Versions], _ValueT],
        *,
        holds: Callable[[_ValueT], bool] = lambda _: True,
    ) -> _ValueT:
        """The value of a stage, once in a translation. ``make`` is given the last value, whatever it was made of.

        ``holds`` says of a value of the identical inputs whether it is still right, for what is found only on the way
        to be an input.
        """
        last = self._last.get(name)
        if last is None or not identical(last.inputs, inputs) or not holds(cast("_ValueT", last.value)):
            versions = Versions(_NOTHING if last is None else last.versions)
            value = make(None if last is None else cast("_ValueT", last.value), versions)
            self.computed += versions.computed
            self.ran.append(name)
            last = _Stage(inputs, value, versions.asked)
        self._now[name] = last
        return cast("_ValueT", last.value)

    def end(self) -> None:
        """End a translation: what it did not ask for is forgotten."""
        self._last, self._now = self._now, {}


def identical(one: Sequence[object], other: Sequence[object]) -> bool:
    """Whether two sequences hold the same objects."""
    return len(one) == len(other) and all(map(is_, one, other))
