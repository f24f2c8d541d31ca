"""A frozen copy of what users have applied: the one input of ``translate`` that changes.

Objects are held as raw manifests. Parsing is part of the translation, so that an object that does not parse is an
ordinary input with an ordinary outcome: a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from wardgate.problems import ObjectRef

_NOT_CREATED_YET: Final = "~"
"""Sorts behind every time."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One version of one object. ``manifest`` is never changed in place, and never printed: it may be a Secret.

    ``version`` is the numeric resourceVersion: it grows with every change of any object of the kind.
    ``created`` is the creationTimestamp, in RFC 3339 and UTC to the second; empty in a folder for a manifest that was
    never in a cluster. ``is_damaged``: the manifest is what could be read of an object; it counts as INVALID whatever
    it says. ``is_lost``: remembered of an object that went away with its kind.
    """

    ref: ObjectRef
    uid: str
    version: int
    generation: int
    created: str
    manifest: Mapping[str, object] = field(repr=False, compare=False)
    is_damaged: bool = field(default=False, kw_only=True)
    is_lost: bool = field(default=False, kw_only=True)

    @property
    def age_key(self) -> tuple[str, str, str]:
        """Sorts the oldest first; equal ages go by namespace and name.

        An object without a creation time is younger than all that have one, as it would be if it were applied now
        (docs/decisions/0022).
        """
        return (self.created or _NOT_CREATED_YET, self.ref.namespace, self.ref.name)


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """``objects`` by kind, each sorted oldest first. ``absent_kinds`` have no CRD in the cluster.

    ``unlisted_kinds`` are foreign ones of which there may be more: nobody could list them since the start.
    ``lapsed_kinds`` are absent, or were at some time since the last snapshot: what is gone of them was not deleted by
    its owner, as far as anybody knows.
    """

    objects: Mapping[str, tuple[StoredObject, ...]] = field(default_factory=lambda: MappingProxyType({}))
    absent_kinds: frozenset[str] = frozenset()
    unlisted_kinds: frozenset[str] = frozenset()
    lapsed_kinds: frozenset[str] = frozenset()

    def of(self, kind: str) -> tuple[StoredObject, ...]:
        """All objects of a kind, oldest first."""
        return self.objects.get(kind, ())
