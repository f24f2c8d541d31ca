"""Secrets as Wardgate reads them: decoded once, every value wrapped so that nobody sees it by accident.

``data`` is base64, ``stringData`` (in folders) is plain and wins, as in Kubernetes. A value that is not base64 spoils
the Secret, as it does for the API server. Messages name entries and never values. Bytes that are no UTF-8 survive as
surrogate escapes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from wardgate.api.rules.meta import ObjectMeta
from wardgate.problems import FieldPath, ObjectRef
from wardgate.sensitive import Sensitive
from wardgate.text_codec import from_bytes

KNOWN_FIELDS: Final = frozenset({"apiVersion", "kind", "metadata", "type", "data", "stringData", "immutable"})
DEFAULT_TYPE: Final = "Opaque"
_NOT_BASE64: Final = (
    "is not base64; let kubectl create secret generic --from-literal encode it, or write it under stringData as it is"
)
_ENTRY_NAME: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")


@dataclass(frozen=True, slots=True)
class Secret:
    """One Secret. ``data`` holds the decoded values by name of the entry."""

    metadata: ObjectMeta
    type: str
    data: Mapping[str, Sensitive] = field(repr=False)

    @property
    def ref(self) -> ObjectRef:
        """The object, for messages."""
        return ObjectRef("Secret", self.metadata.namespace, self.metadata.name)


@dataclass(frozen=True, slots=True)
class BadEntry:
    """``complaint`` continues a sentence that begins with the path, and holds no value."""

    path: FieldPath
    complaint: str


def decode_entries(manifest: Mapping[str, object]) -> tuple[Mapping[str, Sensitive], tuple[BadEntry, ...]]:
    """The entries of a Secret's manifest, and those that cannot be read."""
    entries: dict[str, Sensitive] = {}
    bad: list[BadEntry] = []
    for part in ("data", "stringData"):
        for name, value in _members(manifest, part, bad=bad):
            text = _text_of(value, encoded=part == "data")
            if isinstance(text, Sensitive):
                entries[name] = text
            else:
                bad.append(BadEntry((part, name), text))
    return MappingProxyType(entries), tuple(bad)


def _members(manifest: Mapping[str, object], part: str, *, bad: list[BadEntry]) -> Iterator[tuple[str, object]]:
    members = manifest.get(part)
    if members is None:
        return
    if not isinstance(members, dict):
        bad.append(BadEntry((part,), "must be an object with one field for each entry; correct it"))
        return
    for name, value in members.items():
        if _ENTRY_NAME.fullmatch(name):
            yield name, value
        else:
            bad.append(BadEntry((part, name), "must be named with letters, digits, dots, hyphens and _; rename it"))


def _text_of(value: object, *, encoded: bool) -> Sensitive | str:
    if value is None:
        return Sensitive("")
    if not isinstance(value, str):
        return "must be a text; put it in quotes"
    if not encoded:
        return Sensitive(value)
    try:
        raw = base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return _NOT_BASE64
    return Sensitive(from_bytes(raw))
