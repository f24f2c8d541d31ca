"""Shards: the groups of a bundle as immutable Secrets, each under a name that is never used twice. No I/O."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

from wardgate.kube.index import MAX_SEQUENCE, RELEASE_LABEL, ROLE_LABEL, Manifest, ShardRef
from wardgate.wire.bundle import hash_of

ENTRY: Final = "shard.gz"
ROLE: Final = "shard"
SIZE_ANNOTATION: Final = "wardgate.dev/size"
"""Compressed bytes, for those who see the metadata alone."""
MAX_SHARD: Final = 768 * 1024
"""Compressed bytes of one shard, so that the Secret stays below what etcd takes."""
MAX_GROUP: Final = 64 * 1024 * 1024
"""Bytes of one group in clear: what a proxy unpacks at most."""
_NAME: Final = re.compile(r".+-[0-9a-f]{12}-([0-9]{1,16})")
_LEVEL: Final = 1
"""Fast: a millisecond more of compression costs more than a kilobyte less gains."""


class ShardError(Exception):
    """The Secret does not hold the group that the index names; the text says why."""


def compress(data: bytes) -> bytes:
    """A group's bytes, compressed; the same bytes give the same result."""
    return gzip.compress(data, compresslevel=_LEVEL, mtime=0)


def shard_name(release: str, *, group: str, sha256: str, sequence: int) -> str:
    """A name that holds what changed and when, so that no two writes ever share one."""
    return f"{release}-{group}-{sha256[:12]}-{sequence}"


def sequence_of(name: str) -> int:
    """The sequence that a shard's name ends in; 0 for a name that is none of ours."""
    found = _NAME.fullmatch(name)
    sequence = int(found[1]) if found else 0
    return sequence if sequence <= MAX_SEQUENCE else 0


def shard_manifest(shard: ShardRef, compressed: bytes, *, release: str, namespace: str) -> Manifest:
    """Write the Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "immutable": True,
        "metadata": {
            "name": shard.name,
            "namespace": namespace,
            "labels": {RELEASE_LABEL: release, ROLE_LABEL: ROLE},
            "annotations": {SIZE_ANNOTATION: str(shard.size)},
        },
        "data": {ENTRY: base64.b64encode(compressed).decode()},
    }


def read_shard(secret: Mapping[str, Any], shard: ShardRef) -> bytes:
    """The group's bytes, verified. Raises ``ShardError``."""
    try:
        compressed = base64.b64decode(secret["data"][ENTRY], validate=True)
        data = _decompress(compressed)
    except (KeyError, TypeError, ValueError, EOFError, OSError, zlib.error, binascii.Error) as error:
        msg = f"The shard {shard.name} cannot be read: {type(error).__name__}."
        raise ShardError(msg) from None
    if hash_of(data) != shard.sha256:
        msg = f"The shard {shard.name} does not hold what the index names."
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
