"""From an index to a whole bundle: gets the groups that are not held, verifies each, and keeps what it verified.

Groups and their parts are held by their hash, so that a change of one key gets one small Secret, a change of one route
the part that holds it, and a further attempt at a revision gets only what the last one could not.
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
from wardgate.kube.delivery.shards import Part, ShardError, joined, read_shard
from wardgate.tasks import all_of
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
        self._groups: dict[str, bytes] = {}
        """The groups in force, by hash."""
        self._parts: dict[str, Part] = {}
        """By hash, what was read since then, and the parts of groups in force."""
        self._served: frozenset[str] = frozenset()
        """The parts of groups in force."""
        self._index: Index | None = None
        """The index that was collected last."""
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def serve(self, bundle: Bundle) -> None:
        """This bundle is in force: hold its groups and no others."""
        self._groups = {bundle.hashes[name]: data for name, data in bundle.groups.items()}
        self._parts = self._parts_of(bundle)
        self._served = frozenset(self._parts)

    async def collect(self, index: Index) -> Bundle:
        """Put together what the index names. Raises ``CollectionError``."""
        await self._read(index)
        try:
            groups = {group: self._group(shards) for group, shards in index.groups.items()}
        except ShardError as error:
            raise CollectionError(str(error)) from None
        self._index = index
        return Bundle(index.schema, index.revision, MappingProxyType(groups), MappingProxyType(index.hashes))

    def _group(self, shards: list[ShardRef]) -> bytes:
        held = self._groups.get(shards[0].group_sha256)
        return joined(shards, self._parts) if held is None else held

    def _parts_of(self, bundle: Bundle) -> dict[str, Part]:
        """The parts of the bundle's groups, as far as it is known how they were cut, without another copy of them."""
        found: dict[str, Part] = {}
        if self._index is None or self._index.revision != bundle.revision:
            return found
        for group, shards in self._index.groups.items():
            if shards[0].whole and all(shard.sha256 in self._parts for shard in shards):
                rest = memoryview(bundle.groups[group])
                for shard in shards:
                    size = len(self._parts[shard.sha256])
                    found[shard.sha256], rest = rest[:size], rest[size:]
        return found

    async def _read(self, index: Index) -> None:
        """Get what is not held."""
        wanted = self._served.union(shard.sha256 for shard in index.shards)
        self._parts = {sha256: data for sha256, data in self._parts.items() if sha256 in wanted}
        missing: defaultdict[str, list[ShardRef]] = defaultdict(list)
        for shard in index.shards:
            if shard.group_sha256 not in self._groups and shard.sha256 not in self._parts:
                missing[shard.name].append(shard)
        # One failure is enough to give up; the groups that have arrived wait for the next attempt.
        await all_of((f"get {name}", self._get(name, shards)) for name, shards in missing.items())

    async def _get(self, name: str, shards: list[ShardRef]) -> None:
        """Get a Secret, and take from it the groups for which the index names it."""
        try:
            async with self._turns:
                secret = await self._client.get(self._location.path(name))
            for one in shards:
                self._parts[one.sha256] = read_shard(secret, one)
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
