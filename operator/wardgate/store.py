"""The newest version of every object, fed by watches, lists and folders.

Each source of a kind's objects is a *scope*: one list and the events that follow it. Rules 1 to 3 hold in each scope.

Rule 1: a version never goes back. An event older than the object that is held, an event of an object that a later list
did not hold, and a list older than an earlier list change nothing.
Rule 2: a deletion is remembered with its version, so that a list that began before it cannot resurrect the object. A
later list confirms it, and takes over: what that list did not hold was deleted before it.
Rule 3: a *consistent* list that contradicts what is known means that history itself was rolled back (a restored
backup): it is older than an earlier one or than what had been seen when it began (``at_least``), or it shows an object
that was deleted as of then, or older than it was, or with another content under the same version. It replaces
everything of its scope, and what was remembered is forgotten: ``replace`` returns True for that. What other scopes hold
of the lost history goes with their own next list.
Rule 4: a kind that the cluster does not know is empty.
Rule 5: of an object that several scopes hold, the newest version counts. A deletion in one scope says only that it left
that scope (a selector that no longer matches); it is gone when no scope holds it.
Rule 6: a new version with the same content (a status was written) is no change. Rules 1 to 3 go by the new version;
the snapshot goes on to show the object that it showed, under its older version.

The store does no I/O and starts no translation; it only counts its changes (``generation``).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace as copied
from types import MappingProxyType
from typing import Final

from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject

_MANY: Final = 64
"""Changes at once from which sorting anew costs less than finding the place of each."""


class Store:
    """See the rules above. Not thread-safe: one task owns it."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._absent: set[str] = set()
        self._lapsed: set[str] = set()
        """Kinds that were absent at some time since the last snapshot."""
        self._unlisted: set[tuple[str, str]] = set()
        self._unlisted_kinds: frozenset[str] = frozenset()
        self.generation = 0
        """Grows with every change; equal generations mean equal snapshots."""

    def upsert(self, obj: StoredObject, *, scope: str = "") -> bool:
        """Take a new version of an object; return whether it changed the snapshot."""
        kind = self._kind(obj.ref.kind)
        return kind.scope(scope).upsert(obj) and self._changed(kind, [obj.ref])

    def remove(self, ref: ObjectRef, *, version: int, scope: str = "") -> bool:
        """Take a deletion seen at ``version``; return whether it changed the snapshot."""
        kind = self._kind(ref.kind)
        return kind.scope(scope).remove(ref, version=version) and self._changed(kind, [ref])

    def replace(
        self,
        kind_name: str,
        objects: Iterable[StoredObject],
        *,
        as_of: int,
        consistent: bool = True,
        at_least: int = -1,
        scope: str = "",
    ) -> bool:
        """Take a full list made at version ``as_of``; return whether it showed that history was rolled back.

        ``at_least``: the newest version that anybody had seen of the scope (``position``) when the list was asked for.
        """
        kind = self._kind(kind_name)
        place = kind.scope(scope)
        objects = tuple(objects)
        if as_of >= max(at_least, place.listed) and place.is_confirmed_by(objects):
            place.confirm(as_of=as_of, consistent=consistent)
            return False
        listed = {obj.ref: obj for obj in objects}
        if consistent and (as_of < at_least or place.is_contradicted_by(listed, as_of=as_of)):
            self._changed(kind, place.start_over(listed, as_of=as_of), rolled_back=True)
            return True
        self._changed(kind, place.replace(listed, as_of=as_of, consistent=consistent))
        return False

    def position(self, kind_name: str, scope: str = "") -> int:
        """The newest version told of the scope so far, -1 before the first."""
        return self._kind(kind_name).scope(scope).position

    def held(self, kind_name: str, scope: str = "") -> Mapping[ObjectRef, StoredObject]:
        """The objects that a scope holds, as long as nothing changes it."""
        return MappingProxyType(self._kind(kind_name).scope(scope).live)

    def held_of(self, kind_name: str) -> Collection[StoredObject]:
        """The objects of a kind in all scopes, also of one that is absent now."""
        return self._kind(kind_name).newest.values()

    def drop_scope(self, kind_name: str, scope: str) -> bool:
        """Forget a scope with all that it holds; return whether that changed the snapshot."""
        kind = self._kind(kind_name)
        dropped = kind.scopes.pop(scope, None)
        return dropped is not None and self._changed(kind, dropped.live)

    def set_absent(self, kind_name: str, *, absent: bool) -> None:
        """Record whether the cluster knows the kind at all."""
        if absent == (kind_name in self._absent):
            return
        if absent:
            self._absent.add(kind_name)
            self._lapsed.add(kind_name)
        else:
            self._absent.discard(kind_name)
        self.generation += 1

    def set_unlisted(self, kind_name: str, scope: str, *, unlisted: bool) -> None:
        """Record whether a scope of a kind is still to be listed for the first time."""
        if unlisted == ((kind_name, scope) in self._unlisted):
            return
        self._unlisted ^= {(kind_name, scope)}
        self._unlisted_kinds = frozenset(kind for kind, _ in self._unlisted)
        self.generation += 1

    def holds(self, ref: ObjectRef) -> bool:
        """Whether there is an object of that name."""
        return ref.kind in self._kinds and ref in self._kinds[ref.kind].newest

    def counts(self) -> dict[str, int]:
        """Objects held, by kind."""
        return {name: len(kind.newest) for name, kind in self._kinds.items()}

    def freeze(self) -> ClusterSnapshot:
        """A copy that later changes do not touch. Kinds that did not change share their tuple with the last copy.

        Every copy is to be translated: only the next one tells that a kind was absent for a moment.
        """
        lapsed, self._lapsed = frozenset(self._lapsed), set(self._absent)
        objects = {
            name: kind.by_age() for name, kind in self._kinds.items() if kind.newest and name not in self._absent
        }
        return ClusterSnapshot(
            objects=MappingProxyType(objects),
            absent_kinds=frozenset(self._absent),
            unlisted_kinds=self._unlisted_kinds,
            lapsed_kinds=lapsed,
        )

    def _kind(self, name: str) -> _Kind:
        return self._kinds.setdefault(name, _Kind())

    def _changed(self, kind: _Kind, refs: Collection[ObjectRef], *, rolled_back: bool = False) -> bool:
        changed = kind.merge(refs, rolled_back=rolled_back)
        self.generation += changed
        return changed


class _Kind:
    """The scopes of one kind, and what they hold together (``newest``)."""

    __slots__ = ("_by_age", "_frozen", "newest", "scopes")

    def __init__(self) -> None:
        self.scopes: dict[str, _Scope] = {}
        self.newest: dict[ObjectRef, StoredObject] = {}
        self._by_age: list[StoredObject] | None = None
        self._frozen: tuple[StoredObject, ...] | None = None

    def scope(self, name: str) -> _Scope:
        return self.scopes.setdefault(name, _Scope())

    def merge(self, refs: Collection[ObjectRef], *, rolled_back: bool) -> bool:
        """Look again at what the scopes hold of ``refs``; return whether anything differs from before."""
        if len(refs) > _MANY:
            self._by_age = None
        return sum(self._merge_one(ref, rolled_back=rolled_back) for ref in refs) > 0

    def by_age(self) -> tuple[StoredObject, ...]:
        if self._frozen is None:
            if self._by_age is None:
                self._by_age = sorted(self.newest.values(), key=_age)
            self._frozen = tuple(self._by_age)
        return self._frozen

    def _merge_one(self, ref: ObjectRef, *, rolled_back: bool) -> bool:
        shown = self.newest.get(ref)
        held = (scope.live.get(ref) for scope in self.scopes.values())
        newest = max((obj for obj in held if obj is not None), key=_version, default=None)
        if _may_stay(shown, newest, rolled_back=rolled_back):
            return False
        self._show(shown, newest)
        return True

    def _show(self, old: StoredObject | None, new: StoredObject | None) -> None:
        if old is not None:
            del self.newest[old.ref]
        if new is not None:
            self.newest[new.ref] = new
        self._frozen = None
        if self._by_age is None:
            return
        if old is not None:
            del self._by_age[bisect_left(self._by_age, _age(old), key=_age)]
        if new is not None:
            insort(self._by_age, new, key=_age)


class _Scope:
    """The objects of one source, with the deletions that a slow list might not know of yet.

    ``horizon`` is the version of the newest list of all, ``listed`` that of the newest consistent one, ``position`` the
    newest of all. Whatever changes ``live`` says so, with the objects concerned.
    """

    __slots__ = ("deleted", "horizon", "listed", "live", "position")

    def __init__(self) -> None:
        self.live: dict[ObjectRef, StoredObject] = {}
        self.deleted: dict[ObjectRef, int] = {}
        self.listed = -1
        self.horizon = -1
        self.position = -1

    def upsert(self, obj: StoredObject) -> bool:
        self.position = max(self.position, obj.version)
        held = self.live.get(obj.ref)
        if obj.version <= (self.horizon if held is None else held.version):
            return False
        if obj.version <= self.deleted.get(obj.ref, -1):
            return False
        self.deleted.pop(obj.ref, None)
        self.live[obj.ref] = _sharing(obj, held)
        return True

    def remove(self, ref: ObjectRef, *, version: int) -> bool:
        self.position = max(self.position, version)
        held = self.live.get(ref)
        if held is not None and held.version > version:
            return False
        self.deleted[ref] = max(version, self.deleted.get(ref, -1))
        return self.live.pop(ref, None) is not None

    def is_confirmed_by(self, objects: Collection[StoredObject]) -> bool:
        """Whether these are the very objects that are held: then there is little to do, however many there are."""
        return len(objects) == len(self.live) and all(self.live.get(obj.ref) is obj for obj in objects)

    def confirm(self, *, as_of: int, consistent: bool) -> None:
        if consistent:
            self.listed = as_of
        self.horizon, self.position = max(self.horizon, as_of), max(self.position, as_of)
        self.deleted = {ref: version for ref, version in self.deleted.items() if version > as_of}

    def is_contradicted_by(self, listed: dict[ObjectRef, StoredObject], *, as_of: int) -> bool:
        """Whether a consistent list cannot be of the history that is known."""
        if as_of < self.listed:
            return True
        for ref, new in listed.items():
            if new.version <= self.deleted.get(ref, -1) <= as_of:
                return True
            old = self.live.get(ref)
            if old is not None and _contradicts(old, new, as_of=as_of):
                return True
        return False

    def start_over(self, listed: dict[ObjectRef, StoredObject], *, as_of: int) -> Collection[ObjectRef]:
        refs = self.live.keys() | listed.keys()
        self.live, self.deleted = listed, {}
        self.listed = self.horizon = self.position = as_of
        return refs

    def replace(self, listed: dict[ObjectRef, StoredObject], *, as_of: int, consistent: bool) -> Collection[ObjectRef]:
        if consistent:
            self.listed = as_of
        if as_of < self.horizon:
            return ()
        self.horizon = as_of
        self.position = max(self.position, as_of)
        before, self.live = self.live, self._merged(listed, as_of=as_of)
        self.deleted = {ref: version for ref, version in self.deleted.items() if version > as_of}
        gone = [ref for ref in before if ref not in self.live]
        return gone + [ref for ref, obj in self.live.items() if before.get(ref) is not obj]

    def _merged(self, listed: dict[ObjectRef, StoredObject], *, as_of: int) -> dict[ObjectRef, StoredObject]:
        merged = {
            ref: _sharing(obj, self.live.get(ref))
            for ref, obj in listed.items()
            if self.deleted.get(ref, -1) < obj.version
        }
        merged.update((ref, held) for ref, held in self.live.items() if held.version > as_of)
        return merged


def _sharing(obj: StoredObject, held: StoredObject | None) -> StoredObject:
    """The same, without a second copy of what is held already."""
    if held is None or not _is_same(obj, held):
        return obj
    return held if held.version == obj.version else copied(obj, manifest=held.manifest)


def _is_same(one: StoredObject, other: StoredObject) -> bool:
    """Whether they differ in nothing but the version."""
    return one is other or (
        one.uid == other.uid
        and one.generation == other.generation
        and one.created == other.created
        and one.manifest == other.manifest
    )


def _may_stay(shown: StoredObject | None, newest: StoredObject | None, *, rolled_back: bool) -> bool:
    """Rule 6. After a roll-back, though, a version may come again with another content: then the number counts too."""
    if shown is None or newest is None:
        return shown is newest
    return (shown.version == newest.version or not rolled_back) and _is_same(shown, newest)


def _contradicts(old: StoredObject, new: StoredObject, *, as_of: int) -> bool:
    if new.version == old.version:
        return not _is_same(new, old)
    return new.version < old.version <= as_of


def _age(obj: StoredObject) -> tuple[str, str, str]:
    return obj.age_key


def _version(obj: StoredObject) -> int:
    return obj.version
