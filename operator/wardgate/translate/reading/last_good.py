"""The form of an object that is served: the applied one, its last good one, or none (invariant 6).

An object that was good and turns bad keeps its last good form. That form is read again whenever an object changes that
it refers to: a last good manifest whose reference has vanished since is as bad as the new one. An object that was
deleted and created anew (another ``uid``) has no last good form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import is_
from typing import Generic, TypeAlias, TypeVar

from wardgate.problems import ObjectRef, Problem
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import ParsedObject, Scope, has_error
from wardgate.translate.findings import Findings
from wardgate.translate.incremental.memo import Versions
from wardgate.translate.reading.cluster_names import ignored_names
from wardgate.translate.reading.parsing import parse_stored
from wardgate.translate.secrets.secret_index import NamedSecrets, SecretIndex
from wardgate.translate.tenancy import Tenancy

LastGood: TypeAlias = Mapping[ObjectRef, StoredObject]
"""The newest accepted manifest of every policy and routing object."""

_ValueT = TypeVar("_ValueT")
_ModelT = TypeVar("_ModelT")
Asked: TypeAlias = Mapping[ObjectRef, StoredObject | None]
"""The Secrets that a reader asked for by name, each as it was found."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[_ValueT]):
    """The result of reading one version of one object. Beside errors, ``value`` is the readable part."""

    value: _ValueT | None
    problems: tuple[Problem, ...] = ()


Read: TypeAlias = Callable[[ParsedObject[_ModelT], Scope], Reading[_ValueT]]


@dataclass(frozen=True, slots=True)
class ServedObject(Generic[_ValueT]):
    """``stored`` is the applied version. ``form`` is the version that ``value`` comes from; None for a closed object.

    A closed object may have a ``value`` all the same: its good part. ``past`` is its last good form where that is
    another version and not served either, because it is bad by now.
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
        """Whether the applied version is served."""
        return self.form is self.stored


@dataclass(frozen=True, slots=True)
class ReadObject(Generic[_ValueT]):
    """The form that is served. ``current`` and ``problems`` are the result of reading the applied version.

    It holds while the Secrets in ``asked`` are the same, and the object's ``past`` where that matters.
    """

    served: ServedObject[_ValueT]
    current: _ValueT | None
    problems: tuple[Problem, ...]
    past: StoredObject | None
    asked: Asked


class ObjectReader:
    """Reads objects in one run of a stage, each anew only where its inputs have changed.

    ``past`` is the mapping of ``past_forms``. The reader collects the ``findings`` of all objects, the Secrets that
    they ``asked`` for, and in ``served_instead`` the last good forms that are served.
    """

    def __init__(self, past: LastGood, *, settings: Settings, secrets: SecretIndex, versions: Versions) -> None:
        self._past = past
        self._settings = settings
        self._tenancy = Tenancy.of(settings)
        self._secrets = secrets
        self._versions = versions
        self.findings = Findings()
        self.asked: dict[ObjectRef, StoredObject | None] = {}
        self.served_instead: dict[ObjectRef, StoredObject] = {}

    def read_all(
        self, objects: Iterable[StoredObject], model: type[_ModelT], *, read: Read[_ModelT, _ValueT]
    ) -> list[ReadObject[_ValueT]]:
        """Read the applied version of each object, or its last good form where that has an error. One bad object costs
        no other.
        """
        settled = [self._settled(stored, model, read=read) for stored in objects]
        for one in settled:
            self.findings.extend(one.problems)
            self.asked.update(one.asked)
            if one.served.form is not None and not one.served.is_current:
                self.served_instead[one.served.ref] = one.served.form
        return settled

    def _settled(
        self, stored: StoredObject, model: type[_ModelT], *, read: Read[_ModelT, _ValueT]
    ) -> ReadObject[_ValueT]:
        past = self._past.get(stored.ref)

        def make() -> ReadObject[_ValueT]:
            secrets = NamedSecrets(self._secrets)
            scope = Scope(self._settings, self._tenancy, secrets, self._versions)
            return _settle(
                stored, past, read=lambda one: _read(one, model, read=read, scope=scope), asked=secrets.asked
            )

        def holds(kept: ReadObject[_ValueT]) -> bool:
            # While the applied version is served, the last good form does not matter.
            return (kept.served.is_current or kept.past is past) and self._secrets.shows(kept.asked)

        return self._versions.of(stored, "settled", make=make, holds=holds)


def served(settled: Iterable[ReadObject[_ValueT]]) -> list[ServedObject[_ValueT]]:
    """The served form of each object."""
    return [one.served for one in settled]


def past_forms(objects: Iterable[StoredObject], last_good: LastGood, *, last: LastGood | None) -> LastGood:
    """The last good forms that are other versions than the applied ones, and those alone.

    An applied and accepted version becomes its own last good form as soon as it has been translated; no stage depends
    on that. So this is the identical mapping as ``last`` time, whenever its forms are.
    """
    found: dict[ObjectRef, StoredObject] = {}
    for stored in objects:
        good = last_good.get(stored.ref)
        if good is not None and good.uid == stored.uid and good.version != stored.version:
            found[stored.ref] = good
    return unless_same(found, last)


def unless_same(found: LastGood, last: LastGood | None) -> LastGood:
    """``last`` where it holds the identical objects, else ``found``."""
    if last is not None and found.keys() == last.keys() and all(map(is_, found.values(), map(last.get, found))):
        return last
    return found


def _settle(
    stored: StoredObject,
    past: StoredObject | None,
    *,
    read: Callable[[StoredObject], Reading[_ValueT]],
    asked: Asked,
) -> ReadObject[_ValueT]:
    reading = read(stored)
    served = ServedObject(stored, stored, reading.value)
    if has_error(reading.problems):
        served = ServedObject(stored, None, reading.value, past)
        before = None if past is None else read(past)
        if before is not None and not has_error(before.problems):
            served = ServedObject(stored, past, before.value)
    return ReadObject(served, reading.value, reading.problems, past, asked)


def _read(
    stored: StoredObject, model: type[_ModelT], *, read: Read[_ModelT, _ValueT], scope: Scope
) -> Reading[_ValueT]:
    parsed, problems = parse_stored(stored, model)
    if parsed is None:
        return Reading(None, problems)
    reading = read(parsed, scope)
    ignored = ignored_names(parsed.model, parsed.ref, settings=scope.settings)
    return Reading(reading.value, (*problems, *reading.problems, *ignored))
