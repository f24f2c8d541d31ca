"""The newest version of every object, fed by watches, lists and folders.

Rule 1: a version never goes back. An event older than the object that is held, an event of an object that a later list
did not hold, and a list older than an earlier list change nothing.
Rule 2: a deletion is remembered with its version, so that a list that began before it cannot resurrect the object. A
later list confirms it, and takes over: what that list did not hold was deleted before it.
Rule 3: a *consistent* list older than an earlier consistent list means that history itself was rolled back (a restored
backup). It replaces everything of its kind, and what was remembered is forgotten: ``replace`` returns True for that.
Rule 4: a kind that the cluster does not know is empty.

The store does no I/O and starts no translation; it only counts its changes (``generation``).
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject


class _KindStore:
    """The objects of one kind, with the deletions that a slow list might not know of yet.

    ``horizon`` is the version of the newest list of all, ``listed`` that of the newest consistent one.
    """

    __slots__ = ("deleted", "horizon", "listed", "live", "sorted")

    def __init__(self) -> None:
        self.live: dict[ObjectRef, StoredObject] = {}
        self.deleted: dict[ObjectRef, int] = {}
        self.listed = -1
        self.horizon = -1
        self.sorted: tuple[StoredObject, ...] | None = None


class Store:
    """See the rules above. Not thread-safe: one task owns it."""

    def __init__(self) -> None:
        self._kinds: dict[str, _KindStore] = {}
        self._absent: set[str] = set()
        self.generation = 0
        """Grows with every change; equal generations mean equal snapshots."""

    def upsert(self, obj: StoredObject) -> bool:
        """Take a new version of an object; return whether it changed anything."""
        kind = self._kind(obj.ref.kind)
        held = kind.live.get(obj.ref)
        if obj.version <= (kind.horizon if held is None else held.version):
            return False
        if obj.version <= kind.deleted.get(obj.ref, -1):
            return False
        kind.deleted.pop(obj.ref, None)
        kind.live[obj.ref] = obj
        self._changed(kind)
        return True

    def remove(self, ref: ObjectRef, *, version: int) -> bool:
        """Take a deletion seen at ``version``; return whether it changed anything."""
        kind = self._kind(ref.kind)
        held = kind.live.get(ref)
        if held is not None and held.version > version:
            return False
        kind.deleted[ref] = max(version, kind.deleted.get(ref, -1))
        if held is None:
            return False
        del kind.live[ref]
        self._changed(kind)
        return True

    def replace(self, kind_name: str, objects: Iterable[StoredObject], *, as_of: int, consistent: bool = True) -> bool:
        """Take a full list made at version ``as_of``; return whether it showed that history was rolled back."""
        kind = self._kind(kind_name)
        listed = {obj.ref: obj for obj in objects}
        rolled_back = consistent and as_of < kind.listed
        if consistent:
            kind.listed = as_of
        if as_of < kind.horizon and not rolled_back:
            return False
        kind.horizon = as_of
        if rolled_back:
            kind.deleted.clear()
            merged = listed
        else:
            merged = _merge(kind, listed, as_of=as_of)
        kind.deleted = {ref: version for ref, version in kind.deleted.items() if version > as_of}
        if merged != kind.live:
            kind.live = merged
            self._changed(kind)
        return rolled_back

    def set_absent(self, kind_name: str, *, absent: bool) -> None:
        """Record whether the cluster knows the kind at all."""
        if absent == (kind_name in self._absent):
            return
        if absent:
            self._absent.add(kind_name)
        else:
            self._absent.discard(kind_name)
        self.generation += 1

    def freeze(self) -> ClusterSnapshot:
        """A copy that later changes do not touch. Kinds that did not change share their tuple with the last copy."""
        objects = {name: _sorted(kind) for name, kind in self._kinds.items() if kind.live and name not in self._absent}
        return ClusterSnapshot(objects=MappingProxyType(objects), absent_kinds=frozenset(self._absent))

    def _kind(self, name: str) -> _KindStore:
        return self._kinds.setdefault(name, _KindStore())

    def _changed(self, kind: _KindStore) -> None:
        kind.sorted = None
        self.generation += 1


def _merge(kind: _KindStore, listed: dict[ObjectRef, StoredObject], *, as_of: int) -> dict[ObjectRef, StoredObject]:
    merged = {ref: obj for ref, obj in listed.items() if kind.deleted.get(ref, -1) < obj.version}
    for ref, held in kind.live.items():
        newer_than_listed = ref in merged and held.version > merged[ref].version
        made_after_the_list = ref not in merged and held.version > as_of
        if newer_than_listed or made_after_the_list:
            merged[ref] = held
    return merged


def _sorted(kind: _KindStore) -> tuple[StoredObject, ...]:
    if kind.sorted is None:
        kind.sorted = tuple(sorted(kind.live.values(), key=lambda obj: obj.age_key))
    return kind.sorted
