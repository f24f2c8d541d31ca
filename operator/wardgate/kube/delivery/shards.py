"""Shards: the groups of a bundle in immutable Secrets, each under a name that is never used twice. No I/O.

Mostly a shard holds one group, so that a change of one key writes and reads one small Secret. Where many groups change
at once, several share one; a shard stays in force as long as the index names it for any of them. Of a group that is cut
into parts, each part is an entry of its own, named by its hash: wherever a change moves a part within its group, the
Secret that holds it stays what it was.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from wardgate.kube.delivery.index import MAX_SEQUENCE, RELEASE_LABEL, ROLE_LABEL, Manifest, ShardRef
from wardgate.wire.bundle import hash_of

ROLE: Final = "shard"
SIZE_ANNOTATION: Final = "wardgate.dev/size"
"""Compressed bytes of all its groups, for readers of the metadata alone."""
MAX_SHARD: Final = 768 * 1024
"""Compressed bytes that a shard may hold, so that the Secret stays below what etcd takes."""
MAX_GROUP: Final = 64 * 1024 * 1024
"""Bytes of one group in clear: what a proxy unpacks, or puts together, at most."""
_NAME: Final = re.compile(r".+-[0-9a-f]{12}-([0-9]{1,16})")
_LEVEL: Final = 1
"""Fast: a millisecond more of compression costs more than a kilobyte less gains."""


Part: TypeAlias = bytes | memoryview
"""A group in clear, or a part of one."""


class ShardError(Exception):
    """A Secret does not hold what the index names in it, or the parts are not the group; the text says why."""


def compress(data: bytes) -> bytes:
    """A group's bytes, compressed; the same bytes give the same result."""
    return gzip.compress(data, compresslevel=_LEVEL, mtime=0)


def shard_name(release: str, what: str, *, sha256: str, sequence: int) -> str:
    """A name that holds what changed and when. ``what`` alone tells the shards of one sequence apart."""
    return f"{release}-{what}-{sha256[:12]}-{sequence}"


def entry_of(group: str, *, part: str = "") -> str:
    """The entry of a shard that holds this group; ``part``: the hash of the part that it holds.

    The hash is whole: whoever fills a part could find another one that begins alike.
    """
    return f"{group}.{part}.gz" if part else f"{group}.gz"


def entry_at(shard: ShardRef) -> str:
    """The entry that holds what the index names there."""
    return entry_of(shard.group, part=shard.sha256 if shard.whole else "")


def sequence_of(name: str) -> int:
    """The sequence that a shard's name ends in; 0 for a name that is none of ours."""
    found = _NAME.fullmatch(name)
    sequence = int(found[1]) if found else 0
    return sequence if sequence <= MAX_SEQUENCE else 0


def shard_manifest(name: str, entries: Mapping[str, bytes], *, release: str, namespace: str) -> Manifest:
    """Write the Secret that holds these entries (``entry_of``), compressed."""
    size = sum(map(len, entries.values()))
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
        "data": {entry: base64.b64encode(data).decode() for entry, data in entries.items()},
    }


def read_shard(secret: Mapping[str, Any], shard: ShardRef) -> bytes:
    """The bytes of the group or its part, verified. Raises ``ShardError``."""
    try:
        compressed = base64.b64decode(secret["data"][entry_at(shard)], validate=True)
        data = _decompress(compressed)
    except (KeyError, TypeError, ValueError, EOFError, OSError, zlib.error, binascii.Error) as error:
        msg = f"The group {shard.group} in shard {shard.name} cannot be read: {type(error).__name__}."
        raise ShardError(msg) from None
    if hash_of(data) != shard.sha256:
        msg = f"The group {shard.group} in shard {shard.name} is not what the index names."
        raise ShardError(msg)
    return data


def joined(shards: Sequence[ShardRef], parts: Mapping[str, Part]) -> bytes:
    """The group that is at ``shards``; ``parts``: what was read, by hash. Raises ``ShardError``.

    Bounded, because the index could name one part again and again.
    """
    first = shards[0]
    if not first.whole:
        return bytes(parts[first.sha256])
    if sum(len(parts[shard.sha256]) for shard in shards) > MAX_GROUP:
        msg = f"The parts of the group {first.group} come to more than {MAX_GROUP} bytes."
        raise ShardError(msg)
    data = b"".join(parts[shard.sha256] for shard in shards)
    if hash_of(data) != first.whole:
        msg = f"The parts of the group {first.group} do not come to the group that the index names."
        raise ShardError(msg)
    return data


def _decompress(compressed: bytes) -> bytes:
    """Unpack a group, up to a bound: a small shard could hold a very large group."""
    unpacker = zlib.decompressobj(wbits=31)
    data = unpacker.decompress(compressed, MAX_GROUP)
    if not unpacker.eof:
        msg = "Cut off, or above the bound."
        raise ValueError(msg)
    return data
