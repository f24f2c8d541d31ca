"""Creates shards, and keeps in mind those that no index names yet.

A *spare* is a shard that was created, or is being created, for a publish that has not succeeded. The next attempt uses
it if its content is still the same, so that an API server that comes and goes is not filled with copies. A spare is one
from before it exists, so that it is never swept before it could be named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, TypeVar

from wardgate.kube.api.errors import ApiError
from wardgate.kube.delivery.index import Index, Manifest, ShardRef
from wardgate.kube.delivery.shards import (
    MAX_SHARD,
    ShardError,
    compress,
    entry_at,
    read_shard,
    shard_manifest,
    shard_name,
)
from wardgate.kube.publish.config_secrets import ConfigSecrets
from wardgate.kube.publish.inventory import Inventory, StoredShard
from wardgate.kube.publish.packing import Piece, cut, share
from wardgate.tasks import all_of
from wardgate.wire.bundle import Bundle, hash_of

_T = TypeVar("_T")
_SEVERAL: Final = "groups"
"""Stands in the name of a shard for the groups that it holds, where they are more than one."""
_AT_ONCE: Final = 8
"""Shards created at the same time, and about so many at most in one publish."""
_INLINE: Final = 64 * 1024
"""Bytes that are compressed at once; more of them on a thread, so that probes are answered."""


_Key: TypeAlias = tuple[str, str]
"""The entry of a shard, and the hash of what it holds."""


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """Where all of a bundle is. ``created``: how many shards are new, ``size`` their compressed bytes."""

    shards: tuple[ShardRef, ...]
    created: int
    size: int


class ShardWriter:
    """Every shard created is added to ``inventory``. ``max_part``: bytes in clear of what an entry of a shard holds."""

    def __init__(self, secrets: ConfigSecrets, inventory: Inventory, *, max_part: int) -> None:
        self._secrets = secrets
        self._inventory = inventory
        self._max_part = max_part
        self._spares: dict[_Key, ShardRef] = {}

    @property
    def spares(self) -> tuple[ShardRef, ...]:
        """Shards that may be named by the next index."""
        return tuple(self._spares.values())

    def settle(self) -> None:
        """Every spare is named by now, or never will be."""
        self._spares.clear()

    async def write(self, bundle: Bundle, *, in_force: Index | None, next_sequence: Callable[[], int]) -> StoredBundle:
        """Create what is missing of this bundle; a sequence is taken only for that. Raises the first ``KubeError``.

        A group that is in force stays as it was cut, so that another way to cut rewrites nothing.
        """
        groups = {} if in_force is None else in_force.groups
        kept = {group: shards for group, shards in groups.items() if self._are_all(shards, bundle.hashes.get(group))}
        pieces = await self._cut({group: data for group, data in bundle.groups.items() if group not in kept}, bundle)
        places = self._usable(shard for group in pieces for shard in groups.get(group, ()))
        missing = {_key(piece): piece for parts in pieces.values() for piece in parts if _key(piece) not in places}
        created = await self._create_all(missing, bundle, sequence=next_sequence()) if missing else {}
        places |= created
        for group, parts in pieces.items():
            kept[group] = [replace(places[_key(piece)], whole=piece.whole) for piece in parts]
        return StoredBundle(
            shards=tuple(shard for group in sorted(kept) for shard in kept[group]),
            created=len({shard.name for shard in created.values()}),
            size=sum(shard.size for shard in created.values()),
        )

    def _are_all(self, shards: Sequence[ShardRef], sha256: str | None) -> bool:
        """Whether these are a group of that hash, and exist."""
        return shards[0].group_sha256 == sha256 and all(map(self._inventory.holds, shards))

    def _usable(self, in_force: Iterable[ShardRef]) -> dict[_Key, ShardRef]:
        """The shards that exist, by what they hold."""
        known = (*self._spares.values(), *in_force)
        return {_key_of(shard): shard for shard in known if self._inventory.holds(shard)}

    async def _create_all(
        self, missing: Mapping[_Key, Piece], bundle: Bundle, *, sequence: int
    ) -> dict[_Key, ShardRef]:
        """Create shards for these pieces; return where each of them is."""
        packed = await self._pack({key: bundle.groups[one.group][one.start : one.end] for key, one in missing.items()})
        sizes = {key: len(data) for key, data in packed.items()}
        turns = asyncio.Semaphore(_AT_ONCE)

        async def create(number: int, keys: tuple[_Key, ...]) -> dict[_Key, ShardRef]:
            pieces = [missing[key] for key in keys]
            async with turns:
                name = self._name(pieces, number=number, sequence=sequence)
                return await self._create(name, packed={key: packed[key] for key in keys}, pieces=pieces)

        # One failure is enough to give up; what was created meanwhile waits for the next attempt.
        created = await all_of(
            (f"create the shard of {keys[0][0]}", create(number, keys))
            for number, keys in enumerate(share(sizes, shards=_AT_ONCE, max_shard=MAX_SHARD))
        )
        return {key: shard for each in created for key, shard in each.items()}

    def _name(self, pieces: Sequence[Piece], *, number: int, sequence: int) -> str:
        """The group alone names no shard of parts: their number does, since whoever fills a part chooses its hash."""
        groups = {piece.group for piece in pieces}
        what = groups.pop() if len(groups) == 1 else _SEVERAL
        if len(pieces) == 1 and not pieces[0].whole:
            return shard_name(self._secrets.release, what, sha256=pieces[0].sha256, sequence=sequence)
        sha256 = hash_of(" ".join(piece.sha256 for piece in pieces).encode())
        return shard_name(self._secrets.release, f"{what}.{number}", sha256=sha256, sequence=sequence)

    async def _create(
        self, name: str, *, packed: Mapping[_Key, bytes], pieces: Iterable[Piece]
    ) -> dict[_Key, ShardRef]:
        """Create one shard of these pieces."""
        shards = {
            _key(one): ShardRef(one.group, name, len(packed[_key(one)]), one.sha256, whole=one.whole) for one in pieces
        }
        self._spares |= shards
        entries = {entry: data for (entry, _), data in packed.items()}
        release, namespace = self._secrets.release, self._secrets.namespace
        try:
            stored = await self._secrets.create(shard_manifest(name, entries, release=release, namespace=namespace))
        except ApiError as error:
            stored = await self._existing(name, shards.values(), error=error)
        uid = str(stored["metadata"]["uid"])
        shards = {key: replace(shard, uid=uid) for key, shard in shards.items()}
        self._spares |= shards
        self._inventory.add(StoredShard(name, uid, sum(map(len, packed.values()))))
        return shards

    async def _existing(self, name: str, shards: Iterable[ShardRef], *, error: ApiError) -> Manifest:
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

    async def _cut(self, groups: Mapping[str, bytes], bundle: Bundle) -> dict[str, tuple[Piece, ...]]:
        """The pieces of these groups."""

        def pieces() -> dict[str, tuple[Piece, ...]]:
            return {
                group: cut(data, group=group, sha256=bundle.hashes[group], most=self._max_part)
                for group, data in groups.items()
            }

        return await _aside(pieces, groups.values())

    async def _pack(self, pieces: Mapping[_Key, bytes]) -> dict[_Key, bytes]:
        """The pieces, compressed."""
        return await _aside(lambda: {key: compress(data) for key, data in pieces.items()}, pieces.values())


async def _aside(work: Callable[[], _T], data: Iterable[bytes]) -> _T:
    """Do it, on a thread where it is much."""
    return work() if sum(map(len, data)) <= _INLINE else await asyncio.to_thread(work)


def _key(piece: Piece) -> _Key:
    return piece.entry, piece.sha256


def _key_of(shard: ShardRef) -> _Key:
    return entry_at(shard), shard.sha256
