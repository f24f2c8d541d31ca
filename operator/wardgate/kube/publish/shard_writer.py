"""Creates shards, and keeps in mind those that no index names yet.

A *spare* is a shard that was created, or is being created, for a publish that has not succeeded. The next attempt uses
it if the group is still the same, so that an API server that comes and goes is not filled with copies. A spare is one
from before it exists, so that it is never swept before it could be named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final

from wardgate.kube.api.errors import ApiError
from wardgate.kube.delivery.index import Manifest, ShardRef
from wardgate.kube.delivery.shards import ShardError, read_shard, shard_manifest, shard_name
from wardgate.kube.publish.config_secrets import ConfigSecrets
from wardgate.kube.publish.inventory import Inventory, StoredShard
from wardgate.kube.publish.packing import OversizedGroup, Packer, share
from wardgate.wire.bundle import Bundle

_AT_ONCE: Final = 8
"""Shards created at the same time, and about so many at most in one publish."""
_INLINE: Final = 64 * 1024
"""Bytes that are compressed at once; more of them on a thread, so that probes are answered."""


class ShardWriter:
    """What it creates it adds to ``inventory``."""

    def __init__(self, secrets: ConfigSecrets, inventory: Inventory, *, max_shard: int) -> None:
        self._secrets = secrets
        self._inventory = inventory
        self._max_shard = max_shard
        self._packer = Packer(max_shard=max_shard)
        self._spares: dict[str, ShardRef] = {}

    @property
    def spares(self) -> tuple[ShardRef, ...]:
        """Shards that may be named by the next index."""
        return tuple(self._spares.values())

    def settle(self) -> None:
        """Every spare is named by now, or never will be."""
        self._spares.clear()
        self._packer.forget()

    def forget_packed(self) -> None:
        """What was measured is in force already, or was not to be."""
        self._packer.forget()

    def oversized(self, bundle: Bundle, in_force: Mapping[str, str]) -> tuple[OversizedGroup, ...]:
        """See ``Packer.oversized``."""
        return self._packer.oversized(bundle, in_force)

    def usable(self, bundle: Bundle, *, in_force: Iterable[ShardRef]) -> dict[str, ShardRef]:
        """By group, the shards that exist and hold what the bundle holds."""
        return {
            shard.group: shard
            for shard in (*self._spares.values(), *in_force)
            if bundle.hashes.get(shard.group) == shard.sha256 and self._inventory.holds(shard)
        }

    async def create(self, groups: Collection[str], bundle: Bundle, *, sequence: int) -> list[ShardRef]:
        """Create shards for these groups; return where each of them is. Raises the first ``KubeError``."""
        packed = await self._pack({group: bundle.groups[group] for group in groups}, bundle.hashes)
        sizes = {group: len(data) for group, data in packed.items()}
        turns = asyncio.Semaphore(_AT_ONCE)

        async def create(together: tuple[str, ...]) -> Iterable[ShardRef]:
            async with turns:
                return await self._create({group: packed[group] for group in together}, bundle.hashes, sequence)

        try:
            async with asyncio.TaskGroup() as tasks:
                created = [
                    tasks.create_task(create(together), name=f"create the shard of {together[0]}")
                    for together in share(sizes, shards=_AT_ONCE, max_shard=self._max_shard)
                ]
        except ExceptionGroup as errors:
            # One is enough to give up; what was created meanwhile waits for the next attempt.
            raise errors.exceptions[0] from None
        return [shard for task in created for shard in task.result()]

    async def _create(
        self, groups: Mapping[str, bytes], hashes: Mapping[str, str], sequence: int
    ) -> Iterable[ShardRef]:
        """Create one shard of these groups, compressed."""
        release, namespace = self._secrets.release, self._secrets.namespace
        name = shard_name(release, {group: hashes[group] for group in groups}, sequence=sequence)
        shards = {group: ShardRef(group, name, len(data), hashes[group]) for group, data in groups.items()}
        self._spares |= shards
        try:
            stored = await self._secrets.create(shard_manifest(name, groups, release=release, namespace=namespace))
        except ApiError as error:
            stored = await self._existing(name, shards.values(), error)
        uid = str(stored["metadata"]["uid"])
        shards = {group: replace(shard, uid=uid) for group, shard in shards.items()}
        self._spares |= shards
        self._inventory.add(StoredShard(name, uid, sum(map(len, groups.values()))))
        return shards.values()

    async def _existing(self, name: str, shards: Iterable[ShardRef], error: ApiError) -> Manifest:
        """A request of ours that was sent twice finds its own result. Anything else is the error that it is."""
        found = await self._secrets.read(name) if error.is_conflict else None
        if found is None:
            raise error
        try:
            for shard in shards:
                read_shard(found, shard)
        except ShardError:
            raise error from None
        return found

    async def _pack(self, groups: Mapping[str, bytes], hashes: Mapping[str, str]) -> dict[str, bytes]:
        """The groups, compressed."""

        def pack() -> dict[str, bytes]:
            return {group: self._packer.pack(data, hashes[group]) for group, data in groups.items()}

        return pack() if sum(map(len, groups.values())) <= _INLINE else await asyncio.to_thread(pack)
