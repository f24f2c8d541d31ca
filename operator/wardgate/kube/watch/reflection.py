"""One list and the watch that follows it, on their way into a sink: the core of a reflector, without I/O.

A list says what there is at one version; each event says what changed at a later one; a bookmark says only how far the
stream has come. The sink holds the objects and knows a list of another history. A reflection knows the newest version,
bookmarks included: an event that is older belongs to another history, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wardgate.kube.api.errors import UnreadableObject
from wardgate.kube.watch.objects import object_ref, resource_version, stored_object
from wardgate.kube.watch.sink import Sink
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject


@dataclass(frozen=True, slots=True)
class Relisted:
    """A list as it differs from what was held before it: ``missed`` objects went without an event."""

    missed: int
    rolled_back: bool


class Reflection:
    """One scope of a kind. Not thread-safe: one reflector owns it."""

    def __init__(self, kind: str, *, sink: Sink, scope: str) -> None:
        self._kind = kind
        self._sink = sink
        self._scope = scope
        self._version = -1

    @property
    def position(self) -> int:
        """The newest version that anybody has told of the scope: ask when a list begins."""
        return max(self._version, self._sink.position(self._kind, self._scope))

    def read(self, items: Iterable[Mapping[str, Any]]) -> list[StoredObject]:
        """Read a page of a list; what did not change shares what is held. Raises ``UnreadableObject``."""
        held = self._sink.held(self._kind, self._scope)
        return [_known(stored_object(self._kind, item), held) for item in items]

    def replace(self, objects: Sequence[StoredObject], *, as_of: int, at_least: int) -> Relisted:
        """Take a whole list, consistent as of a version, asked for at the position ``at_least``."""
        listed = {obj.ref for obj in objects}
        held = self._sink.held(self._kind, self._scope)
        missed = sum(ref not in listed and obj.version <= as_of for ref, obj in held.items())
        rolled_back = self._sink.replaced(self._kind, objects, as_of=as_of, at_least=at_least, scope=self._scope)
        return Relisted(missed, rolled_back)

    def watch_from(self, version: int) -> None:
        """A watch begins at the version of a list, be it older than what was known."""
        self._version = version

    def apply(self, event: Mapping[str, Any]) -> None:
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
            return
        if kind == "DELETED":
            self._sink.removed(ref, version=version, scope=self._scope)
        else:
            self._sink.changed(stored_object(self._kind, manifest), scope=self._scope)

    def _advance(self, version: int) -> None:
        if version < self._version:
            msg = f"The watch of {self._kind} went back to an older version."
            raise UnreadableObject(msg)
        self._version = version


def _known(obj: StoredObject, held: Mapping[ObjectRef, StoredObject]) -> StoredObject:
    known = held.get(obj.ref)
    return known if known is not None and known == obj and known.manifest == obj.manifest else obj
