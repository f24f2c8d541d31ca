"""The index: the one Secret that says which configuration is in force. Its format never changes.

It names the shard of each group of one revision, with the hash of what that group is in clear, so that a reader of
the index can verify everything else. A group that is too large for one Secret is cut into parts: then the index names
the shard of each part, in their order, with the part's hash and that of the whole group. A revision is made of the
hashes of whole groups, so that the same config is the same revision however it is cut. ``sequence`` grows with every
write that a proxy must act on; ``verified_at`` is renewed while the writer's watches are live and is for people: a
proxy measures ages by its own clock. So are ``tenancy`` and ``platform``, which ``wardgate status`` reads. A shard's
``uid`` is for the writer: as the Secrets cannot be changed, another uid under the name is the one way in which one
was replaced.
No I/O.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from wardgate.wire.bundle import revision_of

FORMAT: Final = 1
ENTRY: Final = "index.json"
MAX_SHARDS: Final = 4096
MAX_SEQUENCE: Final = 10**15
"""Milliseconds since 1970, in the year 33658. A greater number was not written by us and could never be outdone."""
RELEASE_LABEL: Final = "wardgate.dev/release"
ROLE_LABEL: Final = "wardgate.dev/role"

Manifest: TypeAlias = dict[str, Any]


class UnreadableIndexError(Exception):
    """The Secret is no index that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class ShardRef:
    """The place of a group, or of one part of it: ``name`` and ``uid`` of a Secret, which may hold others too.

    ``size`` of the compressed bytes, ``sha256`` of what they are in clear. ``whole``: the hash of the whole group,
    where this is a part of it; else empty.
    """

    group: str
    name: str
    size: int
    sha256: str
    uid: str = ""
    whole: str = ""

    @property
    def group_sha256(self) -> str:
        """The hash of the whole group."""
        return self.whole or self.sha256


@dataclass(frozen=True, slots=True)
class Index:
    """See the module. ``shards`` are sorted by group, one each, or one for each part in the order of the parts."""

    schema: str
    revision: str
    sequence: int
    writer: str
    verified_at: str
    shards: tuple[ShardRef, ...]
    tenancy: str = ""
    """The tenancy that the writer follows, and under ``isolated`` its platform namespaces; empty: not told."""
    platform: tuple[str, ...] = ()

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of every group by its name."""
        return {shard.group: shard.group_sha256 for shard in self.shards}

    @property
    def groups(self) -> dict[str, list[ShardRef]]:
        """Where the parts of every group are, in their order, by its name."""
        found: dict[str, list[ShardRef]] = {}
        for shard in self.shards:
            found.setdefault(shard.group, []).append(shard)
        return found


def index_name(release: str) -> str:
    """The name of a release's index."""
    return f"{release}-index"


def index_manifest(index: Index, *, release: str, namespace: str, resource_version: str | None = None) -> Manifest:
    """Write the Secret. With ``resource_version`` it replaces only that version."""
    content = {
        "format": FORMAT,
        "schema": index.schema,
        "revision": index.revision,
        "sequence": index.sequence,
        "writer": index.writer,
        "verifiedAt": index.verified_at,
        "shards": [_written(one) for one in index.shards],
    }
    if index.tenancy:
        content |= {"tenancy": index.tenancy, "platform": list(index.platform)}
    metadata: dict[str, Any] = {
        "name": index_name(release),
        "namespace": namespace,
        "labels": {RELEASE_LABEL: release, ROLE_LABEL: "index"},
    }
    if resource_version is not None:
        metadata["resourceVersion"] = resource_version
    data = json.dumps(content, separators=(",", ":")).encode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": metadata,
        "data": {ENTRY: base64.b64encode(data).decode()},
    }


def read_index(secret: Mapping[str, Any]) -> Index:
    """Read the Secret. Raises ``UnreadableIndexError`` for anything but a whole, consistent index."""
    try:
        content = json.loads(base64.b64decode(secret["data"][ENTRY], validate=True))
        index = _index(content)
    except (KeyError, TypeError, ValueError, RecursionError, binascii.Error) as error:
        msg = f"The index cannot be read: {type(error).__name__}."
        raise UnreadableIndexError(msg) from None
    if revision_of(schema=index.schema, hashes=index.hashes) != index.revision:
        msg = "The index is not what its revision says."
        raise UnreadableIndexError(msg)
    return index


def _index(content: Any) -> Index:
    if content["format"] != FORMAT or len(content["shards"]) > MAX_SHARDS:
        msg = f"The format is not {FORMAT}."
        raise ValueError(msg)
    shards = tuple(
        ShardRef(
            _text(one["group"]),
            _text(one["name"]),
            _count(one["size"]),
            _text(one["sha256"]),
            _text(one.get("uid", "")),
            _text(one.get("whole", "")),
        )
        for one in content["shards"]
    )
    _check_parts(shards)
    tenancy, platform = content.get("tenancy", ""), content.get("platform", [])
    sequence = _count(content["sequence"])
    if sequence > MAX_SEQUENCE:
        msg = "The sequence is beyond all bounds."
        raise ValueError(msg)
    return Index(
        schema=_text(content["schema"]),
        revision=_text(content["revision"]),
        sequence=sequence,
        writer=_text(content["writer"]),
        verified_at=_text(content["verifiedAt"]),
        shards=tuple(sorted(shards, key=lambda one: one.group)),
        # For people alone: one that cannot be read must not cost a proxy its config.
        tenancy=tenancy if isinstance(tenancy, str) else "",
        platform=tuple(map(str, platform)) if isinstance(platform, list) else (),
    )


def _check_parts(shards: Iterable[ShardRef]) -> None:
    """A group stands there once, or in parts of one and the same whole."""
    wholes: dict[str, str] = {}
    for one in shards:
        if one.group in wholes and (not one.whole or one.whole != wholes[one.group]):
            msg = "A group stands twice."
            raise ValueError(msg)
        wholes[one.group] = one.whole


def _written(shard: ShardRef) -> dict[str, object]:
    """The entry of one shard; ``whole`` stands there for a part alone."""
    entry = {"group": shard.group, "name": shard.name, "size": shard.size, "sha256": shard.sha256, "uid": shard.uid}
    return entry | {"whole": shard.whole} if shard.whole else entry


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value
