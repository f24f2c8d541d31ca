"""From an API object to the stored object, which keeps no more than ``translate`` reads. Pure.

Left out are the status of our kinds (we wrote it ourselves; ``seen_status`` takes it), the bookkeeping in ``metadata``,
and the annotation in which ``kubectl apply`` repeats the whole manifest, a Secret's values in clear. So two versions
that differ in nothing that matters are equal, and 10,000 key Secrets fit into little memory: what many of them have in
common (names of labels and entries, namespaces, types) is held once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, Final, TypeAlias

from wardgate.kube.api.errors import UnreadableObject
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject

Manifest: TypeAlias = dict[str, Any]

_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_STATUS: Final = "status"


def stored_object(kind: str, manifest: Mapping[str, Any]) -> StoredObject:
    """Keep what matters of an item of a list or an event. Raises ``UnreadableObject``."""
    try:
        return _stored(kind, manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"The API server sent a {kind} that cannot be read ({type(error).__name__})."
        raise UnreadableObject(msg) from None


@dataclass(frozen=True, slots=True)
class SeenStatus:
    """The status that an object had at a version; None: none."""

    ref: ObjectRef
    uid: str
    version: int
    status: Mapping[str, Any] | None


def seen_status(kind: str, manifest: Mapping[str, Any]) -> SeenStatus:
    """Take the status from an item of a list or an event that ``stored_object`` can read."""
    status = manifest.get(_STATUS)
    return SeenStatus(
        ref=object_ref(kind, manifest),
        uid=manifest["metadata"].get("uid") or "",
        version=resource_version(manifest),
        status=status if isinstance(status, dict) else None,
    )


def ignore_status(_: SeenStatus) -> None:
    """Take a status and do nothing: for a replica that writes none."""


def object_ref(kind: str, manifest: Mapping[str, Any]) -> ObjectRef:
    """The reference of an object. Raises ``KeyError`` or ``TypeError`` if it is no object."""
    metadata = manifest["metadata"]
    return ObjectRef(intern(kind), intern(metadata.get("namespace") or ""), metadata["name"])


def resource_version(manifest: Mapping[str, Any]) -> int:
    """The version of an object, a list or a bookmark. Raises ``KeyError`` or ``ValueError`` if it has none."""
    return int(manifest["metadata"]["resourceVersion"])


def _stored(kind: str, manifest: Mapping[str, Any]) -> StoredObject:
    metadata = manifest["metadata"]
    ref = object_ref(kind, manifest)
    kept: Manifest = {
        "apiVersion": resource_of(kind).api_version,
        "kind": ref.kind,
        "metadata": _metadata(ref, metadata),
    }
    kept.update((intern(name), value) for name, value in manifest.items() if name not in {*kept, _STATUS})
    if isinstance(kept.get("type"), str):
        kept["type"] = intern(kept["type"])
    if isinstance(kept.get("data"), dict):
        kept["data"] = {intern(name): value for name, value in kept["data"].items()}
    return StoredObject(
        ref=ref,
        uid=metadata.get("uid") or "",
        version=resource_version(manifest),
        generation=int(metadata.get("generation") or 0),
        created=metadata.get("creationTimestamp") or "",
        manifest=kept,
    )


def _metadata(ref: ObjectRef, metadata: Mapping[str, Any]) -> Manifest:
    kept: Manifest = {"name": ref.name, "namespace": ref.namespace}
    labels, annotations = metadata.get("labels"), metadata.get("annotations")
    if labels:
        kept["labels"] = {intern(name): intern(value) for name, value in labels.items()}
    if annotations:
        told = {intern(name): value for name, value in annotations.items() if name != _APPLIED}
        if told:
            kept["annotations"] = told
    return kept
