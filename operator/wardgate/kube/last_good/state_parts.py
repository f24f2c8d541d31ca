"""The last good form of every object as bytes, in parts that change on their own. The format never changes. No I/O.

An object's part follows from its name, so that one changed object rewrites one part. There are a power of two of them:
when there must be twice as many, part *n* of *count* splits into *n* and *n + count*. Readers take the newest version
of an object from whatever parts there are: an operator that died while it split them, or left one behind, loses
nothing.

A manifest is kept for its meaning: without its status, and without what field managers note in it. It may
hold secrets all the same (HMAC keys, hashes of passwords, tokens written into a template), so it is never printed. A
Secret is none of the kinds that are kept.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject

FORMAT: Final = 1
MAX_PARTS: Final = 32
"""As many as the operator's role names."""
TARGET: Final = 512 * 1024
"""Bytes of a part in clear above which there are twice as many parts."""
MAX_PART: Final = 64 * 1024 * 1024
"""Bytes of a part in clear that are read at most."""
MAX_OBJECT: Final = 512 * 1024
"""Bytes of one object that are kept; a larger one, or one nested beyond reason, has no last good form."""
_LEVEL: Final = 1
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False)


class UnreadableStateError(Exception):
    """A part cannot be read; the text says why and holds nothing of it."""


@dataclass(frozen=True, slots=True)
class StatePart:
    """``count`` is how many parts there were when it was written."""

    count: int
    writer: str
    objects: tuple[StoredObject, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncodedPart:
    """``size``: bytes in clear. ``left_out``: objects that are not kept, see ``MAX_OBJECT``."""

    data: bytes = field(repr=False)
    size: int
    left_out: tuple[ObjectRef, ...]


def part_of(ref: ObjectRef, count: int) -> int:
    """Which of ``count`` parts holds an object."""
    return zlib.crc32(f"{ref.kind}\n{ref.namespace}\n{ref.name}".encode("utf-8", "surrogatepass")) & (count - 1)


def encode_part(objects: Iterable[StoredObject], *, count: int, writer: str) -> EncodedPart:
    """Write a part; the same objects give the same bytes, in whatever order they come."""
    written: list[str] = []
    left_out: list[ObjectRef] = []
    for one in sorted(objects, key=lambda one: one.ref):
        text = _text_of(one)
        if text is None or len(text) > MAX_OBJECT:
            left_out.append(one.ref)
        else:
            written.append(text)
    head = _ENCODER.encode({"format": FORMAT, "count": count, "writer": writer})
    whole = f'{head[:-1]},"objects":[{",".join(written)}]}}'.encode()
    return EncodedPart(zlib.compress(whole, _LEVEL), len(whole), tuple(left_out))


def decode_part(data: bytes) -> StatePart:
    """Read a part. Raises ``UnreadableStateError``."""
    try:
        return _part(json.loads(_decompress(data)))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, zlib.error) as error:
        problem = type(error).__name__
    # Outside the handler: an error of the parser carries the whole text.
    msg = f"It is not in format {FORMAT}, or damaged ({problem})."
    raise UnreadableStateError(msg)


def merge(parts: Iterable[StatePart]) -> dict[ObjectRef, StoredObject]:
    """The newest version of every object, sorted."""
    newest: dict[ObjectRef, StoredObject] = {}
    for part in parts:
        for one in part.objects:
            held = newest.get(one.ref)
            if held is None or held.version < one.version:
                newest[one.ref] = one
    return dict(sorted(newest.items()))


def _text_of(one: StoredObject) -> str | None:
    try:
        return _ENCODER.encode(_content(one))
    except RecursionError:
        return None


def _content(one: StoredObject) -> dict[str, object]:
    if "Secret" in (one.ref.kind, one.manifest.get("kind")):
        msg = f"{one.ref} is a Secret, and those are not kept."
        raise ValueError(msg)
    return {
        "kind": one.ref.kind,
        "namespace": one.ref.namespace,
        "name": one.ref.name,
        "uid": one.uid,
        "version": one.version,
        "generation": one.generation,
        "created": one.created,
        "manifest": _meaning(one.manifest),
        **({"lost": True} if one.is_lost else {}),
    }


def _meaning(manifest: Mapping[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in manifest.items() if name != "status"}
    metadata = kept.get("metadata")
    if isinstance(metadata, Mapping):
        kept["metadata"] = own = {name: value for name, value in metadata.items() if name != "managedFields"}
        annotations = own.get("annotations")
        if isinstance(annotations, Mapping):
            own["annotations"] = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return kept


def _decompress(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    whole = unpacker.decompress(data, MAX_PART)
    if not unpacker.eof:
        msg = "cut off, or above the bound"
        raise ValueError(msg)
    return whole


def _part(content: Any) -> StatePart:
    count = _number(content["count"])
    if content["format"] != FORMAT or count not in _COUNTS:
        raise ValueError
    return StatePart(count, _text(content["writer"]), tuple(_object(one) for one in content["objects"]))


def _object(content: Any) -> StoredObject:
    ref = ObjectRef(_text(content["kind"]), _text(content["namespace"]), _text(content["name"]))
    manifest = content["manifest"]
    if not isinstance(manifest, dict) or "Secret" in (ref.kind, manifest.get("kind")):
        raise TypeError
    return StoredObject(
        ref=ref,
        uid=_text(content["uid"]),
        version=_number(content["version"]),
        generation=_number(content["generation"]),
        created=_text(content["created"]),
        manifest=manifest,
        is_lost=content.get("lost") is True,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    return value


_COUNTS: Final = frozenset(1 << power for power in range(MAX_PARTS.bit_length()))
