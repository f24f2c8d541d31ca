"""Shards: the groups of a bundle in immutable Secrets, each under a name that is never used twice. No I/O.

Mostly a shard holds one group, so that a change of one key writes and reads one small Secret. Where many groups change
at once, several share one; a shard stays in force as long as the index names it for any of them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

from wardgate.kube.delivery.index import MAX_SEQUENCE, RELEASE_LABEL, ROLE_LABEL, Manifest, ShardRef
from wardgate.wire.bundle import hash_of

ROLE: Final = "shard"
SIZE_ANNOTATION: Final = "wardgate.dev/size"
"""Compressed bytes of all its groups, for readers of the metadata alone."""
MAX_SHARD: Final = 768 * 1024
"""Compressed bytes that a shard may hold, so that the Secret stays below what etcd takes."""
MAX_GROUP: Final = 64 * 1024 * 1024
"""Bytes of one group in clear: what a proxy unpacks at most."""
SEVERAL: Final = "groups"
"""Stands in the name of a shard for the groups that it holds, where they are more than one."""
_NAME: Final = re.compile(r".+-[0-9a-f]{12}-([0-9]{1,16})")
_LEVEL: Final = 1
"""Fast: a millisecond more of compression costs more than a kilobyte less gains."""


class ShardError(Exception):
    """The Secret does not hold the group that the index names in it; the text says why."""


def compress(data: bytes) -> bytes:
    """A group's bytes, compressed; the same bytes give the same result."""
    return gzip.compress(data, compresslevel=_LEVEL, mtime=0)


def shard_name(release: str, hashes: Mapping[str, str], *, sequence: int) -> str:
    """A name that holds what changed (group to hash) and when, so that no two writes ever share one."""
    if len(hashes) == 1:
        ((what, sha256),) = hashes.items()
    else:
        what, sha256 = SEVERAL, hash_of(" ".join(hashes.values()).encode())
    return f"{release}-{what}-{sha256[:12]}-{sequence}"


def entry_of(group: str) -> str:
    """The entry of a shard that holds this group."""
    return f"{group}.gz"


def sequence_of(name: str) -> int:
    """The sequence that a shard's name ends in; 0 for a name that is none of ours."""
    found = _NAME.fullmatch(name)
    sequence = int(found[1]) if found else 0
    return sequence if sequence <= MAX_SEQUENCE else 0


def shard_manifest(name: str, groups: Mapping[str, bytes], *, release: str, namespace: str) -> Manifest:
    """Write the Secret that holds these groups, compressed."""
    size = sum(map(len, groups.values()))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": True,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {RELEASE_LABEL: release, ROLE_LABEL: ROLE},
            "annotations": {SIZE_ANNOTATION: str(size)},
        },
        "data": {entry_of(group): base64.b64encode(data).decode() for group, data in groups.items()},
    }


def read_shard(secret: Mapping[str, Any], shard: ShardRef) -> bytes:
    """The group's bytes, verified. Raises ``ShardError``."""
    try:
        compressed = base64.b64decode(secret["data"][entry_of(shard.group)], validate=True)
        data = _decompress(compressed)
    except (KeyError, TypeError, ValueError, EOFError, OSError, zlib.error, binascii.Error) as error:
        msg = f"The group {shard.group} in shard {shard.name} cannot be read: {type(error).__name__}."
        raise ShardError(msg) from None
    if hash_of(data) != shard.sha256:
        msg = f"The group {shard.group} in shard {shard.name} is not what the index names."
        raise ShardError(msg)
    return data


def _decompress(compressed: bytes) -> bytes:
    """Bounded, because a small shard could hold a very large one."""
    unpacker = zlib.decompressobj(wbits=31)
    data = unpacker.decompress(compressed, MAX_GROUP)
    if not unpacker.eof:
        msg = "Cut off, or above the bound."
        raise ValueError(msg)
    return data
