"""From a document to the objects in it, as an API server would take them.

Lists are opened, a namespace is filled in, ``stringData`` of a Secret is folded into ``data``. It checks only
what gives an object its identity: kind, version, name. Foreign kinds of the same API are objects too, because a route
may have to be closed for their sake, but nothing about them is a fault. Kinds of other products are none of our
business and are counted; a misspelt kind or version of ours could silently leave a route open, so it is a fault
(``api.registry`` knows which is which).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS, ForeignKind
from wardgate.api.kinds.registry import KINDS, Stranger, Unknown, look_up
from wardgate.problems import FieldPath, ObjectRef, Reason
from wardgate.standalone.objects.classification import is_like_guard
from wardgate.standalone.objects.creation_time import creation_time

CORE_KIND: Final = "Secret"
_OURS: Final = frozenset({*KINDS, CORE_KIND})
_KNOWN: Final = _OURS | FOREIGN_KINDS.keys()
DEFAULT_NAMESPACE: Final = "default"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a kind we know, ours or foreign. ``path`` is where it stands in its document.

    ``created`` is when the cluster created it, empty where the manifest does not say, None where that cannot be read.
    """

    ref: ObjectRef
    value: Mapping[str, object] = field(repr=False)
    path: FieldPath = ()
    created: str | None = ""


@dataclass(frozen=True, slots=True)
class Foreign:
    """One object that means nothing here. ``note`` says what a user might expect of it in vain."""

    note: str = ""
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that should be an object of ours and is none. ``ref`` is present if it can be told which one.

    ``value`` is all of it and stands at ``at``. ``is_mistake``: it looks like an object; all else is only told.
    ``inside``: what an array holds that stands where an object should.
    """

    reason: Reason
    message: str
    remedy: str
    path: FieldPath
    ref: ObjectRef | None = None
    value: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    at: FieldPath = ()
    is_mistake: bool = True
    inside: tuple[Manifest | Fault, ...] = field(default=(), repr=False)


Content: TypeAlias = Manifest | Foreign | Fault


def read_manifests(value: object) -> Iterator[Content]:
    """Yield the contents of a document, in order."""
    if isinstance(value, list):
        yield _read_array(value)
        return
    yield from _read(value, ())


def is_ours(ref: ObjectRef) -> bool:
    """Whether an object is of a kind that Wardgate serves, and not of a foreign one."""
    return ref.kind in _OURS


def identify(value: Mapping[str, object]) -> ObjectRef | None:
    """Tell which object a manifest is about, as far as it can be told, whatever else is wrong with it."""
    metadata = value.get("metadata")
    kind = value.get("kind")
    if not isinstance(metadata, Mapping) or not isinstance(kind, str) or kind not in _KNOWN:
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str):
        return None
    return ObjectRef(kind, namespace if isinstance(namespace, str) else DEFAULT_NAMESPACE, name)


def _read(value: object, path: FieldPath) -> Iterator[Content]:
    if not isinstance(value, dict):
        yield _no_object(path)
        return
    for content in _read_object(value, path):
        yield replace(content, value=value, at=path) if isinstance(content, Fault) and not content.value else content


def _read_array(items: list[object]) -> Fault:
    """Objects in an array, which ``kubectl`` refuses; an array of anything else is left alone."""
    inside = tuple(_ours_within(items, ()))
    if not inside:
        return _no_object(())
    remedy = 'Write "---" between the objects instead, or make them the items of a List.'
    return replace(
        _fault("An object stands in an array, which Kubernetes does not read.", remedy, path=inside[0].path),
        inside=inside,
    )


def _ours_within(items: list[object], path: FieldPath) -> Iterator[Manifest | Fault]:
    for index, item in enumerate(items):
        if isinstance(item, list):
            yield from _ours_within(item, (*path, index))
            continue
        for one in _read(item, (*path, index)):
            if not isinstance(one, Foreign) and (_may_be_ours(one) or is_like_guard(str(one.value.get("kind")))):
                yield one


def _may_be_ours(content: Manifest | Fault) -> bool:
    if isinstance(content, Manifest):
        return is_ours(content.ref)
    return content.reason is Reason.UNKNOWN_KIND or _is_meant_as_object(content.value)


def _no_object(path: FieldPath) -> Fault:
    """In a list of objects it is a mistake, and beside manifests it is somebody else's."""
    if path:
        return _fault("This is not a Kubernetes object.", "Start it with apiVersion, kind and metadata.", path=path)
    return replace(_fault("This is not a Kubernetes object, and is left alone.", "", path=path), is_mistake=False)


def _is_meant_as_object(value: Mapping[str, object]) -> bool:
    """Whether a document without apiVersion or kind is an object that lost them, and may be ours."""
    kind, api_version = value.get("kind"), value.get("apiVersion")
    if isinstance(kind, str) and kind:
        return kind in _OURS
    if isinstance(api_version, str) and api_version:
        return any(known.api_version.startswith(api_version) for known in KINDS.values())
    return "metadata" in value and "spec" in value


def _read_object(value: dict[str, object], path: FieldPath) -> Iterator[Content]:
    kind, api_version = value.get("kind"), value.get("apiVersion")
    if not path and not (kind and api_version) and not _is_meant_as_object(value):
        yield _no_object(path)
        return
    for name, found in (("apiVersion", api_version), ("kind", kind)):
        if not isinstance(found, str) or not found:
            where = (*path, name) if name in value else path
            yield _fault(f"The object has no {name}.", f'Add one, for example "{_EXAMPLES[name]}".', path=where)
            return
    assert isinstance(kind, str)
    assert isinstance(api_version, str)
    if kind.endswith("List") and "items" in value and _may_be_list(api_version, kind):
        yield from _read_items(value["items"], (*path, "items"))
        return
    yield _classify(value, api_version=api_version, kind=kind, path=path)


_EXAMPLES: Final = {"apiVersion": "apiVersion: security.policy.gloo.solo.io/v2", "kind": "kind: ExtAuthPolicy"}


def _may_be_list(api_version: str, kind: str) -> bool:
    return (kind == "List" and "/" not in api_version) or kind.removesuffix("List") in _KNOWN


def _read_items(items: object, path: FieldPath) -> Iterator[Content]:
    if not isinstance(items, list):
        yield _fault("The items of a List are not a list.", "Write each as an entry that starts with '-'.", path=path)
        return
    for index, item in enumerate(items):
        yield from _read(item, (*path, index))


def _classify(value: dict[str, object], *, api_version: str, kind: str, path: FieldPath) -> Content:
    if kind == CORE_KIND and "/" not in api_version:
        if api_version == "v1":
            return _manifest(value, kind=kind, path=path)
        return _unknown(api_version, kind, advice="Write apiVersion: v1.", path=path, ref=identify(value))
    return _classify_custom(value, api_version=api_version, kind=kind, path=path)


def _classify_custom(value: dict[str, object], *, api_version: str, kind: str, path: FieldPath) -> Content:
    if kind in KINDS and "/" not in api_version:
        advice = f"Write apiVersion: {KINDS[kind].api_version}."
        return _unknown(api_version, kind, advice=advice, path=path, ref=identify(value))
    match look_up(api_version, kind):
        case Unknown(advice):
            return _unknown(api_version, kind, advice=advice, path=path, ref=identify(value))
        case Stranger(is_beside_ours):
            note = f"Wardgate knows no kind {_quote(kind)} in {_quote(api_version)}: it has no effect."
            return Foreign(note if is_beside_ours else "", (*path, "kind"))
        case ForeignKind() as foreign:
            return _foreign(value, foreign, path=path)
    return _manifest(value, kind=kind, path=path)


def _foreign(value: dict[str, object], kind: ForeignKind, *, path: FieldPath) -> Content:
    read = _manifest(value, kind=kind.name, path=path)
    if isinstance(read, Fault) and not kind.guards:
        return Foreign(f"{read.message} It has no effect.", read.path)
    return read


def _manifest(value: dict[str, object], *, kind: str, path: FieldPath) -> Manifest | Fault:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        where = (*path, "metadata") if "metadata" in value else path
        return _fault(f"The {kind} has no metadata.", "Add metadata with a name.", path=where)
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not _NAME.match(name) or len(name) > 253:
        where = (*path, "metadata", "name") if "name" in metadata else (*path, "metadata")
        return _fault(f"The {kind} has no usable name.", f"Set metadata.name to {_NAME_RULE}.", path=where)
    if namespace in (None, ""):
        namespace = DEFAULT_NAMESPACE
    if not isinstance(namespace, str) or not _NAMESPACE.match(namespace) or len(namespace) > 63:
        where = (*path, "metadata", "namespace")
        return _fault(
            f"{kind} {name} has no usable namespace.", f"Set metadata.namespace to {_LABEL_RULE}.", path=where
        )
    whole = {**value, "metadata": {**metadata, "namespace": namespace}}
    if kind == CORE_KIND:
        _fold_string_data(whole)
    return Manifest(ObjectRef(kind, namespace, name), whole, path, creation_time(metadata))


_LABEL_RULE: Final = "lower-case letters, digits and dashes"
_NAME_RULE: Final = f"{_LABEL_RULE}, as parts that dots may join"


def _fold_string_data(secret: dict[str, object]) -> None:
    """Do what ``kubectl apply`` does; leave anything of another shape for the schema to refuse. A null says nothing."""
    plain, data = secret.get("stringData"), secret.get("data")
    if not isinstance(plain, dict) or not (data is None or isinstance(data, dict)):
        return
    given = {key: text for key, text in plain.items() if text is not None}
    if all(isinstance(text, str) for text in given.values()):
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in given.items()}
        secret["data"] = {**(data or {}), **encoded}
        del secret["stringData"]


def _fault(message: str, remedy: str, *, path: FieldPath) -> Fault:
    return Fault(Reason.UNREADABLE, message, remedy, path)


def _unknown(api_version: str, kind: str, *, advice: str, path: FieldPath, ref: ObjectRef | None) -> Fault:
    message = f"There is no kind {_quote(kind)} in {_quote(api_version)}."
    at = (*path, "apiVersion" if kind in _OURS else "kind")
    return Fault(Reason.UNKNOWN_KIND, message, advice, at, ref)


def _quote(text: str) -> str:
    return f'"{text if len(text) <= 80 else text[:77] + "..."}"'
