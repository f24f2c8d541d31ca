"""One configuration as bytes: groups that change on their own, their hashes, and the revision over them all.

A group is a JSON object with ``group`` and ``schema`` beside its parts. ``routes`` holds everything but credentials;
``keys-000`` and on hold the credentials, spread by hash; ``tokens`` holds what many of them take from one source. How
groups are compressed, named and stored is up to those who deliver them; the hashes are over the bytes as they are here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wardgate.wire.errors import WireError
from wardgate.wire.schema import SCHEMA, check_schema
from wardgate.wire.text import dump, dump_object

ROUTES: Final = "routes"
KEYS: Final = "keys"
KEYS_PREFIX: Final = "keys-"
TOKENS: Final = "tokens"
"""A token that changes rewrites this group and no credential. Left out where there are no sources."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """``groups`` by name, in clear (never printed); ``hashes`` are their SHA-256, hexadecimal."""

    schema: str
    revision: str
    groups: Mapping[str, bytes] = field(repr=False)
    hashes: Mapping[str, str] = field(repr=False)


def hash_of(data: bytes) -> str:
    """SHA-256 of a group's bytes, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def revision_of(*, schema: str, hashes: Mapping[str, str]) -> str:
    """The content hash of a whole configuration: SHA-256 over the schema and the sorted hashes of its groups."""
    return hash_of(dump({"groups": dict(sorted(hashes.items())), "schema": schema}))


def seal(kind: str, parts: Mapping[str, object], *, schema: str = SCHEMA) -> bytes:
    """Write a group of that kind (``routes`` or ``keys``); parts may be ``Written``."""
    return dump_object(dict(sorted({**parts, "group": kind, "schema": schema}.items())))


def opened(group: object, *, kind: str) -> dict[str, object]:
    """A group's parts without its frame. Raises ``WireError`` for another kind or a schema this version cannot read."""
    if type(group) is not dict:
        msg = "A group is a JSON object."
        raise WireError(msg)
    parts = dict(group)
    check_schema(parts.pop("schema", None))
    if parts.pop("group", None) != kind:
        msg = f"This is not a group of kind {kind}."
        raise WireError(msg)
    return parts
