"""What one list and the watch that follows it have told so far: the core of a reflector, without I/O.

A list says what there is at one version; each event says what changed at a later one; a bookmark says only how far the
stream has come. ``version`` is where a watch goes on, so that it replays what happened while there was none.

A relist is compared with what is held. What it no longer holds was deleted and nobody told us; a list that is older
than what we know (``rolled_back``) means that the cluster's history was set back, and then it counts all the same.
An event that is older than what we know is refused: it belongs to another history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from wardgate.kube.api.errors import UnreadableObject
from wardgate.kube.watch.objects import object_ref, resource_version, stored_object
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject


@dataclass(frozen=True, slots=True)
class Changed:
    """There is a new object, or a new version of one."""

    obj: StoredObject


@dataclass(frozen=True, slots=True)
class Removed:
    """An object was deleted, or is no longer selected."""

    ref: ObjectRef
    version: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Nothing but a later version."""


@dataclass(frozen=True, slots=True)
class Relisted:
    """What a list says, and how it differs from what was held before it."""

    objects: tuple[StoredObject, ...]
    as_of: int
    missed: frozenset[ObjectRef]
    """Objects that went without an event."""
    rolled_back: bool


Delta: TypeAlias = Changed | Removed | Progress


class Reflection:
    """The objects of one scope of a kind. Not thread-safe: one reflector owns it."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._objects: dict[ObjectRef, StoredObject] = {}
        self.version: int | None = None
        """Where a watch goes on; None: only a list will do."""

    def __len__(self) -> int:
        return len(self._objects)

    def read(self, items: Iterable[Mapping[str, Any]]) -> list[StoredObject]:
        """Read a page of a list; what did not change shares what is held. Raises ``UnreadableObject``."""
        return [self._known(stored_object(self._kind, item)) for item in items]

    def replace(self, objects: Iterable[StoredObject], *, as_of: int) -> Relisted:
        """Take a whole list, consistent as of a version."""
        listed = {obj.ref: obj for obj in objects}
        before, self._objects = self._objects, listed
        rolled_back = self.version is not None and as_of < self.version
        self.version = as_of
        return Relisted(
            objects=tuple(listed.values()),
            as_of=as_of,
            missed=frozenset(before.keys() - listed.keys()),
            rolled_back=rolled_back,
        )

    def apply(self, event: Mapping[str, Any]) -> Delta:
        """Take one event. Raises ``UnreadableObject`` for one that does not belong to what came before it."""
        try:
            kind, manifest = event["type"], event["object"]
            version = resource_version(manifest)
            ref = None if kind == "BOOKMARK" else object_ref(self._kind, manifest)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            msg = f"The API server sent an event of {self._kind} that cannot be read ({type(error).__name__})."
            raise UnreadableObject(msg) from None
        self._advance(version)
        if ref is None:
            return Progress()
        if kind == "DELETED":
            self._objects.pop(ref, None)
            return Removed(ref, version)
        obj = stored_object(self._kind, manifest)
        self._objects[ref] = obj
        return Changed(obj)

    def _advance(self, version: int) -> None:
        if self.version is not None and version < self.version:
            msg = f"The watch of {self._kind} went back to an older version."
            raise UnreadableObject(msg)
        self.version = version

    def _known(self, obj: StoredObject) -> StoredObject:
        held = self._objects.get(obj.ref)
        return held if held is not None and held == obj and held.manifest == obj.manifest else obj
