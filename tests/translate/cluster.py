"""A small cluster for tests: manifests in YAML become the snapshots that ``translate`` takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from wardgate.api import identify
from wardgate.problems import ObjectRef
from wardgate.snapshot import ClusterSnapshot, StoredObject

Manifest = Mapping[str, Any]


@dataclass
class Cluster:
    """Applies and deletes objects as ``kubectl`` would: versions grow, generations grow with every change."""

    objects: dict[ObjectRef, StoredObject] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    version: int = 0

    def apply(self, *manifests: Manifest) -> Cluster:
        """Create or change objects."""
        for manifest in manifests:
            ref = identify(manifest)
            self.version += 1
            held = self.objects.get(ref)
            metadata = manifest.get("metadata")
            known: Mapping[str, Any] = metadata if isinstance(metadata, Mapping) else {}
            self.objects[ref] = StoredObject(
                ref=ref,
                uid=str(known.get("uid") or f"uid of {ref}"),
                version=self.version,
                generation=1 if held is None else held.generation + 1,
                created=str(known.get("creationTimestamp") or (held.created if held else "")),
                manifest=manifest,
            )
        return self

    def apply_yaml(self, text: str) -> Cluster:
        """Create or change the objects of several documents."""
        return self.apply(*documents(text))

    def delete(self, ref: ObjectRef) -> Cluster:
        """Delete one object."""
        del self.objects[ref]
        return self

    def snapshot(self, order: Iterable[ObjectRef] | None = None) -> ClusterSnapshot:
        """What a store would freeze. ``order`` gives up the promised order by age, to show that nothing rests on it."""
        stored = sorted(self.objects.values(), key=lambda one: one.age_key)
        if order is not None:
            stored = [self.objects[ref] for ref in order]
        kinds: dict[str, list[StoredObject]] = {}
        for one in stored:
            kinds.setdefault(one.ref.kind, []).append(one)
        return ClusterSnapshot({kind: tuple(found) for kind, found in kinds.items()}, self.absent)


class _Loader(yaml.CSafeLoader):
    """Leaves times as the text they are, as Kubernetes does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def documents(text: str) -> list[dict[str, Any]]:
    """All documents of a YAML text but the empty ones."""
    return [one for one in yaml.load_all(text, Loader=_Loader) if one]
