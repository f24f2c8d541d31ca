"""The way of the cluster's objects into the store, and the interface behind which a watch sees it.

Every source of objects (a watch of a namespace, of a selector, of one name) is a scope of its own, because its lists
speak for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.store import Store


class Sink(Protocol):
    """Called in the loop of the watch; does not block and does not fail."""

    def position(self, kind: str, scope: str) -> int:
        """The newest version told of the scope so far, -1 before the first: ask when a list begins."""
        ...

    def held(self, kind: str, scope: str) -> Mapping[ObjectRef, StoredObject]:
        """The objects of the scope, as they were told last."""
        ...

    def replaced(self, kind: str, objects: Sequence[StoredObject], *, as_of: int, at_least: int, scope: str) -> bool:
        """A consistent list of the scope, made at version ``as_of``, asked for when ``at_least`` had been seen.

        Returns whether it shows that history was rolled back.
        """
        ...

    def changed(self, obj: StoredObject, *, scope: str) -> None:
        """A new version of an object."""
        ...

    def removed(self, ref: ObjectRef, *, version: int, scope: str) -> None:
        """An object left the scope at ``version``: deleted, or no longer selected."""
        ...

    def absent(self, kind: str, *, absent: bool) -> None:
        """Whether the cluster knows the kind at all."""
        ...

    def unlisted(self, kind: str, scope: str, *, unlisted: bool) -> None:
        """Whether a scope of a foreign kind is still to be listed for the first time."""
        ...

    def dropped(self, kind: str, scope: str) -> None:
        """Nobody watches the scope any more."""
        ...


class StoreSink:
    """Puts everything into the store. ``on_change`` is called when there may be something new to translate.

    That is also when a scope was listed for the first time and holds nothing: somebody may wait for it.
    ``on_rollback`` is called when a list shows that history was rolled back.
    """

    def __init__(self, store: Store, *, on_change: Callable[[], None], on_rollback: Callable[[], None]) -> None:
        self._store = store
        self._on_change = on_change
        self._on_rollback = on_rollback
        self._listed: set[tuple[str, str]] = set()

    def position(self, kind: str, scope: str) -> int:
        """See ``Sink``."""
        return self._store.position(kind, scope)

    def held(self, kind: str, scope: str) -> Mapping[ObjectRef, StoredObject]:
        """See ``Sink``."""
        return self._store.held(kind, scope)

    def replaced(self, kind: str, objects: Sequence[StoredObject], *, as_of: int, at_least: int, scope: str) -> bool:
        """See ``Sink``."""
        generation = self._store.generation
        rolled_back = self._store.replace(kind, objects, as_of=as_of, at_least=at_least, scope=scope)
        is_first = (kind, scope) not in self._listed
        self._listed.add((kind, scope))
        if rolled_back:
            self._on_rollback()
        if rolled_back or is_first or self._store.generation != generation:
            self._on_change()
        return rolled_back

    def changed(self, obj: StoredObject, *, scope: str) -> None:
        """See ``Sink``."""
        if self._store.upsert(obj, scope=scope):
            self._on_change()

    def removed(self, ref: ObjectRef, *, version: int, scope: str) -> None:
        """See ``Sink``."""
        if self._store.remove(ref, version=version, scope=scope):
            self._on_change()

    def absent(self, kind: str, *, absent: bool) -> None:
        """See ``Sink``."""
        generation = self._store.generation
        self._store.set_absent(kind, absent=absent)
        if self._store.generation != generation:
            self._on_change()

    def unlisted(self, kind: str, scope: str, *, unlisted: bool) -> None:
        """See ``Sink``."""
        generation = self._store.generation
        self._store.set_unlisted(kind, scope, unlisted=unlisted)
        if self._store.generation != generation:
            self._on_change()

    def dropped(self, kind: str, scope: str) -> None:
        """See ``Sink``."""
        self._listed.discard((kind, scope))
        if self._store.drop_scope(kind, scope):
            self._on_change()
