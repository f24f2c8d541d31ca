"""A config as its Secrets, written by hand: what a publisher would write, and what it never would."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace

from wardgate.ir import Credential, DirectResponse, GatewayConfig, Listener, Route, VirtualHost
from wardgate.kube.delivery.index import Index, Manifest, ShardRef, index_manifest, index_name
from wardgate.kube.delivery.shards import compress, entry_at, shard_manifest, shard_name
from wardgate.kube.publish.packing import MAX_PART, cut
from wardgate.wire.bundle import Bundle, hash_of, revision_of
from wardgate.wire.encode import Encoder

RELEASE = "wardgate"
NAMESPACE = "wardgate-config"
INDEX = index_name(RELEASE)
PORT = 8080
PART = 2000
"""Bytes of a part, for tests that need many small ones."""


def config(text: str = "hello", *, keys: int = 0) -> GatewayConfig:
    """One listener that answers every request with a text; the keys are used by nothing."""
    host = VirtualHost(("*",), (Route("route", DirectResponse(200, text)),))
    return GatewayConfig(listeners=(Listener("main", PORT, (host,)),), credentials=credentials(keys))


def credentials(count: int) -> tuple[Credential, ...]:
    """So many keys."""
    return tuple(Credential("set", f"{number:064x}", "team", f"key-{number}") for number in range(count))


def bundle(text: str = "hello", *, keys: int = 0) -> Bundle:
    return Encoder().encode(config(text, keys=keys))


def bundle_of_routes(count: int, *, changed: int = -1, removed: int = -1, added: int = -1, keys: int = 0) -> Bundle:
    """So many routes; one of them changed, removed, or with another one behind it."""
    numbers = [number for number in range(count) if number != removed]
    names = [f"{number:05}{suffix}" for number in numbers for suffix in (["", "x"] if number == added else [""])]
    routes = tuple(
        Route(name, DirectResponse(200, hash_of(name.encode())[: 30 + 9 * (name == f"{changed:05}")])) for name in names
    )
    config = GatewayConfig(listeners=(Listener("main", PORT, (VirtualHost(("*",), routes),)),))
    return Encoder().encode(replace(config, credentials=credentials(keys)))


def routes_of(count: int, *, changed: int = -1, removed: int = -1, added: int = -1) -> bytes:
    """The group of these routes."""
    return bundle_of_routes(count, changed=changed, removed=removed, added=added).groups["routes"]


def of_schema(schema: str, like: Bundle) -> Bundle:
    """The same groups under another schema version, with the revision that belongs to it."""
    return replace(like, schema=schema, revision=revision_of(schema=schema, hashes=like.hashes))


def index_of(
    published: Bundle,
    *,
    sequence: int = 1,
    verified_at: str = "2027-01-15T08:00:00Z",
    release: str = RELEASE,
    most: int = MAX_PART,
) -> Index:
    """The index of a bundle; its shards' names hold the sequence, as nobody writes one twice. ``most``: see ``cut``."""
    shards = tuple(
        ShardRef(
            group,
            shard_name(release, f"{group}.{number}" if piece.whole else group, sha256=piece.sha256, sequence=sequence),
            len(compress(published.groups[group][piece.start : piece.end])),
            piece.sha256,
            whole=piece.whole,
        )
        for group, sha256 in published.hashes.items()
        for number, piece in enumerate(cut(published.groups[group], group=group, sha256=sha256, most=most))
    )
    return Index(
        schema=published.schema,
        revision=published.revision,
        sequence=sequence,
        writer="test",
        verified_at=verified_at,
        shards=tuple(sorted(shards, key=lambda one: one.group)),
    )


def shards_of(
    published: Bundle, index: Index, *, release: str = RELEASE, namespace: str = NAMESPACE
) -> dict[str, Manifest]:
    """The shards by the names that the index gives them."""
    parts = {
        piece.sha256: data[piece.start : piece.end]
        for most in (MAX_PART, PART)
        for group, data in published.groups.items()
        for piece in cut(data, group=group, sha256=published.hashes[group], most=most)
    }
    entries: dict[str, dict[str, bytes]] = {}
    for shard in index.shards:
        entries.setdefault(shard.name, {})[entry_at(shard)] = compress(parts[shard.sha256])
    return {
        name: shard_manifest(name, together, release=release, namespace=namespace) for name, together in entries.items()
    }


def shared(index: Index) -> Index:
    """The same index with all groups in one shard."""
    name = shard_name(RELEASE, "groups.0", sha256=index.revision, sequence=index.sequence)
    return replace(index, shards=tuple(replace(shard, name=name) for shard in index.shards))


def index_secret(index: Index, *, release: str = RELEASE, namespace: str = NAMESPACE) -> Manifest:
    return index_manifest(index, release=release, namespace=namespace)


def with_data(shard: Manifest, change: Mapping[str, bytes]) -> Manifest:
    return {**shard, "data": {name: base64.b64encode(data).decode() for name, data in change.items()}}


def tampered(shard: Manifest) -> Manifest:
    """A well-formed shard of another content."""
    other = compress(b'{"group":"routes","schema":"1.0"}')
    return with_data(shard, dict.fromkeys(shard["data"], other))


def truncated(shard: Manifest) -> Manifest:
    """A shard that lost its second half."""
    whole = {name: base64.b64decode(data) for name, data in shard["data"].items()}
    return with_data(shard, {name: data[: len(data) // 2] for name, data in whole.items()})
