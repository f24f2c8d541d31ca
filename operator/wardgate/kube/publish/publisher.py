"""Puts a bundle in force: first the shards that changed, then the index that names them.

Rule 1: the index names nothing that does not exist. So whatever is interrupted, and wherever, what is in force is
whole; what was created in vain is used by the next attempt or swept.
Rule 2: a name is never used twice, and a shard that the index no longer names is never named again. So what is about
to be deleted cannot come back into use meanwhile.
Rule 3: the sequence exceeds every one that was ever seen: in the index, in a shard's name, at a proxy.
Rule 4: the index is written over the version last seen and no other (``fence``); a new leader first writes it as it is,
under its own name, so that its predecessor's late write fails.
Rule 5: what is in force is called verified only if it is all there, and nothing newer failed to be published.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

from wardgate.kube.api.client import KubeClient
from wardgate.kube.delivery.index import (
    MAX_SEQUENCE,
    Index,
    Manifest,
    UnreadableIndexError,
    index_manifest,
    index_name,
    read_index,
)
from wardgate.kube.lead.fence import Deposed, FencedSecret, version_of
from wardgate.kube.lead.term import NOT_LEADING, Term
from wardgate.kube.publish.config_secrets import ConfigSecrets
from wardgate.kube.publish.inventory import Inventory
from wardgate.kube.publish.packing import MAX_PART
from wardgate.kube.publish.read_back import read_back
from wardgate.kube.publish.shard_writer import ShardWriter
from wardgate.translate.tenancy import Tenancy
from wardgate.wire.bundle import Bundle

__all__ = ["Deposed", "Published", "Publisher"]

_CLAIMS: Final = 3
"""Times a new leader tries to write the index before its predecessor does."""


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a publish. ``size``: compressed bytes of the ``created`` shards."""

    revision: str
    sequence: int
    created: int
    index_written: bool
    size: int
    seconds: float


class _Told(TypedDict):
    tenancy: str
    platform: tuple[str, ...]


class Publisher:
    """``now`` is the wall's clock in seconds. Writes only in a term: from ``take_over`` until the term is over."""

    def __init__(
        self,
        client: KubeClient,
        *,
        release: str,
        namespace: str,
        now: Callable[[], float],
        max_part: int = MAX_PART,
        tenancy: Tenancy | None = None,
    ) -> None:
        self.secrets = ConfigSecrets(client, release=release, namespace=namespace)
        self.inventory = Inventory(release)
        self._now = now
        self._tenancy = tenancy
        self._shards = ShardWriter(self.secrets, self.inventory, max_part=max_part)
        self._lock = asyncio.Lock()
        self._fence = FencedSecret(client, namespace=namespace, name=index_name(release), is_ours=self._is_ours)
        self._term: Term | None = None
        self._index: Index | None = None
        self._highest = 0
        self._reported = 0
        self._index_is_damaged = False
        self._is_behind = False

    @property
    def index(self) -> Index | None:
        """The index in force, as far as this replica wrote it or took it over."""
        return self._index

    @property
    def is_damaged(self) -> bool:
        """Whether what is in force may be another than it should: the next publish writes it, changed or not."""
        if self._index is None:
            return self._index_is_damaged
        return (
            self._index_is_damaged
            or self._reported > self._index.sequence
            or not all(self.inventory.holds(shard) for shard in self._index.shards)
        )

    @property
    def in_use(self) -> frozenset[str]:
        """Names of the shards that are in force or may come into force (rule 2)."""
        named = self._index.shards if self._index is not None else ()
        return frozenset(shard.name for shard in (*named, *self._shards.spares))

    async def take_over(self, term: Term) -> Index | None:
        """Own what is in force, and write it under the term's name. None: nothing is, or nothing readable.

        Raises ``Deposed`` if others keep writing, and other ``KubeError``.
        """
        async with self._lock:
            self._term = term
            for _ in range(_CLAIMS - 1):
                with suppress(Deposed):
                    return await self._claim()
            return await self._claim()

    async def publish(self, bundle: Bundle, *, force: bool = False, verified: bool = False) -> Published:
        """Put ``bundle`` in force, unless it is and nothing is damaged. Raises ``KubeError``.

        ``force``: write the index in any case, with a new sequence. ``verified``: all watches are live, so this is
        what is true now; otherwise the next ``renew`` says so. After an error the same call may simply be repeated.
        """
        async with self._leading():
            held = self._index
            if held is not None and held.revision == bundle.revision and not (force or self.is_damaged):
                self._is_behind = False
                return Published(held.revision, held.sequence, 0, index_written=False, size=0, seconds=0.0)
            self._is_behind = True
            published = await self._put_in_force(bundle, verified=verified)
            self._is_behind = False
            return published

    async def read(self) -> Bundle | None:
        """The bundle in force, read back; None: there is none. Raises ``KubeError``, also where a shard is damaged."""
        return None if self._index is None else await read_back(self.secrets, self._index)

    async def renew(self) -> bool:
        """Say that what is in force is what is true now. False: it is not (rule 5), so a publish is due.

        To be called every 15 s, and only while every watch is live. Raises ``KubeError``.
        """
        async with self._leading():
            if self._index is None or self._is_behind or self.is_damaged:
                return False
            renewed = replace(self._index, verified_at=self._written_now())
            await self._write(lambda: renewed)
            return True

    def seen_sequence(self, sequence: int) -> bool:
        """A proxy serves this sequence. Return whether a publish is due, because ours is smaller."""
        if sequence <= MAX_SEQUENCE:
            self._reported = max(self._reported, sequence)
        return self.is_damaged

    async def recount(self) -> str:
        """Look at everything there is; return the version to watch from. Raises ``Deposed`` and other ``KubeError``."""
        before = self._fence.version
        self.inventory.begin()
        listed, version = await self.secrets.list()
        async with self._leading():
            self.inventory.replace(listed)
            names = {one["name"]: one["resourceVersion"] for one in listed}
            # Older versions of our own count as others' here: a restored backup gives them back.
            if names.get(self._index_name) not in {before, self._fence.version}:
                await self._examine()
        return version

    async def notice(self, kind: str, metadata: Mapping[str, Any]) -> None:
        """Take an event of the watch. Raises ``Deposed`` and other ``KubeError``."""
        name = str(metadata["name"])
        if name != self._index_name:
            if kind == "DELETED":
                self.inventory.remove(name)
            else:
                self.inventory.take(metadata)
            return
        async with self._leading():
            # Only now: the answer to our own write may have been on its way.
            if not self._fence.wrote(str(metadata["resourceVersion"])):
                await self._examine()

    async def still_leads(self) -> bool:
        """Ask the API server whether the index is as we wrote it last. Raises ``KubeError``."""
        found = await self.secrets.read(self._index_name)
        is_ours = found is not None and self._fence.wrote(version_of(found))
        return is_ours and self._term is not None and not self._term.is_over

    @property
    def _writer(self) -> str:
        return "" if self._term is None else self._term.writer

    @property
    def _index_name(self) -> str:
        return index_name(self.secrets.release)

    @asynccontextmanager
    async def _leading(self) -> AsyncIterator[None]:
        """One thing at a time, and only in a term."""
        async with self._lock:
            if self._term is None:
                raise Deposed(NOT_LEADING)
            self._term.check()
            try:
                yield
            except Deposed as error:
                self._term.end(error)
                raise

    async def _claim(self) -> Index | None:
        found = await self._fence.read()
        self._index = index = None if found is None else _readable(found)
        self.inventory.begin()
        listed, _ = await self.secrets.list()
        self.inventory.replace(listed)
        self._shards.settle()
        self._index_is_damaged = False
        if index is not None:
            seen = max(self._highest, self.inventory.highest)
            self._highest = max(self._highest, index.sequence)
            await self._write(lambda: index)
            # It went back: proxies refuse it, whether they can tell us or not.
            self._index_is_damaged = index.sequence < seen
        return self._index

    async def _examine(self) -> None:
        """Find out what became of the index."""
        found = await self._fence.read()
        if found is None:
            self._index_is_damaged = self._index is not None
            return
        if not self._is_ours(found):
            msg = f"Secret {self._index_name} was written by another operator."
            raise Deposed(msg)
        self._index_is_damaged = self._index_is_damaged or not _say_the_same(_readable(found), self._index)

    def _is_ours(self, secret: Mapping[str, Any]) -> bool:
        """An index that cannot be read counts as ours: every leader could read what another one wrote."""
        found = _readable(secret)
        if found is None:
            return True
        self._highest = max(self._highest, found.sequence)
        return found.writer == self._writer

    async def _put_in_force(self, bundle: Bundle, *, verified: bool) -> Published:
        began = asyncio.get_running_loop().time()
        stored = await self._shards.write(bundle, in_force=self._index, next_sequence=self._next_sequence)
        verified_at = self._index.verified_at if self._index is not None and not verified else self._written_now()
        try:
            written = await self._write(
                lambda: Index(
                    bundle.schema, bundle.revision, self._next_sequence(), self._writer, verified_at, stored.shards
                )
            )
        except BaseException:
            # It may have been written all the same: what is in force is not known until it is written again.
            self._index_is_damaged = True
            raise
        self._shards.settle()
        return Published(
            revision=written.revision,
            sequence=written.sequence,
            created=stored.created,
            index_written=True,
            size=stored.size,
            seconds=asyncio.get_running_loop().time() - began,
        )

    async def _write(self, make: Callable[[], Index]) -> Index:
        """Write the index under our name; ``make`` gives it anew for every attempt."""
        written: Index | None = None

        def manifest(version: str | None) -> Manifest:
            nonlocal written
            written = replace(make(), writer=self._writer, **self._told)
            return index_manifest(
                written, release=self.secrets.release, namespace=self.secrets.namespace, resource_version=version
            )

        await self._fence.write(manifest)
        assert written is not None
        self._index = written
        self._index_is_damaged = False
        return written

    @property
    def _told(self) -> _Told:
        """The writer's choices as the index tells them."""
        if self._tenancy is None:
            return _Told(tenancy="", platform=())
        mode = "isolated" if self._tenancy.isolated else "shared"
        return _Told(tenancy=mode, platform=tuple(sorted(self._tenancy.platform)))

    def _next_sequence(self) -> int:
        seen = max(self._highest, self._reported, self.inventory.highest)
        self._highest = max(seen + 1, int(self._now() * 1000))
        return self._highest

    def _written_now(self) -> str:
        now = datetime.fromtimestamp(self._now(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _say_the_same(one: Index | None, other: Index | None) -> bool:
    """Apart from when it was verified: a renewal whose answer was lost harms nothing."""
    if one is None or other is None:
        return one is other
    return one == replace(other, verified_at=one.verified_at)


def _readable(secret: Mapping[str, Any]) -> Index | None:
    try:
        return read_index(secret)
    except UnreadableIndexError:
        return None
