"""From an index to a whole bundle: gets the groups that are not held, verifies each, and keeps what it verified.

Groups are held by their hash, so that a change of one key gets one small Secret, and a further attempt at a revision
gets only what the last one could not.
"""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Final

from wardgate.kube.client import KubeClient
from wardgate.kube.errors import ApiError, KubeError
from wardgate.kube.index import Index, ShardRef
from wardgate.kube.place import Place
from wardgate.kube.shards import ShardError, read_shard
from wardgate.wire.bundle import Bundle

_AT_ONCE: Final = 8
"""Shards asked for at the same time."""


class CollectionError(Exception):
    """A group cannot be had, or is not what the index names; the text says which and why."""


class ShardCollector:
    """Owned by one task."""

    def __init__(self, client: KubeClient, place: Place) -> None:
        self._client = client
        self._place = place
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
        missing = [shard for shard in index.shards if shard.sha256 not in self._held]
        try:
            async with asyncio.TaskGroup() as group:
                for shard in missing:
                    group.create_task(self._get(shard), name=f"get {shard.name}")
        except BaseExceptionGroup as errors:
            # One is enough to give up; the groups that have arrived wait for the next attempt.
            raise errors.exceptions[0] from None
        groups = {shard.group: self._held[shard.sha256] for shard in index.shards}
        return Bundle(index.schema, index.revision, MappingProxyType(groups), MappingProxyType(index.hashes))

    async def _get(self, shard: ShardRef) -> None:
        try:
            async with self._turns:
                secret = await self._client.get(self._place.path(shard.name))
            self._held[shard.sha256] = read_shard(secret, shard)
        except ShardError as error:
            raise CollectionError(str(error)) from None
        except KubeError as error:
            absent = isinstance(error, ApiError) and error.is_absent
            msg = (
                f"Secret {self._place.namespace}/{shard.name} does not exist, but the index names it."
                if absent
                else f"Secret {self._place.namespace}/{shard.name} cannot be read: {error}."
            )
            raise CollectionError(msg) from error
