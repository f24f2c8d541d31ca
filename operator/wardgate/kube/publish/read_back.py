"""Reads the bundle in force back from its shards, for a leader that did not write it."""

from __future__ import annotations

from types import MappingProxyType

from wardgate.kube.api.errors import KubeError
from wardgate.kube.delivery.index import Index, ShardRef
from wardgate.kube.delivery.shards import ShardError, joined, read_shard
from wardgate.kube.publish.config_secrets import ConfigSecrets
from wardgate.wire.bundle import Bundle


class DamagedConfig(KubeError):
    """The config in force is not all there; the text says where it is damaged."""


async def read_back(secrets: ConfigSecrets, index: Index) -> Bundle:
    """The bundle that the index names, verified. Raises ``DamagedConfig`` and other ``KubeError``."""
    named: dict[str, list[ShardRef]] = {}
    for shard in index.shards:
        named.setdefault(shard.name, []).append(shard)
    parts: dict[str, bytes] = {}
    try:
        for name, shards in named.items():
            secret = await secrets.read(name) or {}
            parts.update({shard.sha256: read_shard(secret, shard) for shard in shards})
        groups = {group: joined(shards, parts) for group, shards in index.groups.items()}
    except ShardError as error:
        msg = f"What is in force cannot be read back. {error}"
        raise DamagedConfig(msg) from None
    return Bundle(index.schema, index.revision, MappingProxyType(groups), MappingProxyType(index.hashes))
