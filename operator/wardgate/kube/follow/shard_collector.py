"""From an index to a whole bundle: gets the groups that are not held, verifies each, and keeps what it verified.

Groups are held by their hash, so that a change of one key gets one small Secret, and a further attempt at a revision
gets only what the last one could not.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import MappingProxyType
from typing import Final

from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.delivery.config_location import ConfigLocation
from wardgate.kube.delivery.index import Index, ShardRef
from wardgate.kube.delivery.shards import ShardError, read_shard
from wardgate.wire.bundle import Bundle

_AT_ONCE: Final = 8
"""Shards asked for at the same time."""


class CollectionError(Exception):
    """A group cannot be had, or is not what the index names; the text says which and why."""


class ShardCollector:
    """Owned by one task."""

    def __init__(self, client: KubeClient, location: ConfigLocation) -> None:
        self._client = client
        self._location = location
        self._held: dict[str, bytes] = {}
        self._served: frozenset[str] = frozenset()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def serve(self, bundle: Bundle) -> None:
        """This bundle is in force: hold its groups and no others."""
        self._held = {bundle.hashes[name]: data for name, data in bundle.groups.items()}
        self._served = frozenset(self._held)

    async def collect(self, index: Index) -> Bundle:
        """Put together what the index names. Raises ``CollectionError``."""
        wanted = self._served.union(index.hashes.values())
        self._held = {sha256: data for sha256, data in self._held.items() if sha256 in wanted}
        missing: defaultdict[str, list[ShardRef]] = defaultdict(list)
        for shard in index.shards:
            if shard.sha256 not in self._held:
                missing[shard.name].append(shard)
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, shards in missing.items():
                    tasks.create_task(self._get(name, shards), name=f"get {name}")
        except BaseExceptionGroup as errors:
            # One is enough to give up; the groups that have arrived wait for the next attempt.
            raise errors.exceptions[0] from None
        groups = {shard.group: self._held[shard.sha256] for shard in index.shards}
        return Bundle(index.schema, index.revision, MappingProxyType(groups), MappingProxyType(index.hashes))

    async def _get(self, name: str, shards: list[ShardRef]) -> None:
        """Get a Secret, and out of it the groups for which it is named."""
        try:
            async with self._turns:
                secret = await self._client.get(self._location.path(name))
            for one in shards:
                self._held[one.sha256] = read_shard(secret, one)
        except ShardError as error:
            raise CollectionError(str(error)) from None
        except KubeError as error:
            absent = isinstance(error, ApiError) and error.is_absent
            msg = (
                f"Secret {self._location.namespace}/{name} does not exist, but the index names it."
                if absent
                else f"Secret {self._location.namespace}/{name} cannot be read: {error}."
            )
            raise CollectionError(msg) from error
