"""From the groups of a bundle to a config that can be served, rebuilding only what changed.

A worker holds what it has built by the hash of its group. A new revision that shares sixty-three of sixty-four key
buckets reads one, and builds the keys that changed in it; one that shares the routes builds no route; one with other
routes shares what they have in common with the last ones, which is what makes a table quick to build.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from wardgate.ir import GatewayConfig
from wardgate.proxy.core.auth.credential_index import (
    Bucket,
    CompiledCredential,
    CredentialIndex,
    NextIndex,
    bucket_of,
    compile_credential,
)
from wardgate.proxy.core.auth.token_sources import NO_SOURCES, Sources, compile_sources
from wardgate.wire.bundle import KEYS_PREFIX, ROUTES, TOKENS, hash_of
from wardgate.wire.decode import DecodedKeys, KeysDecoder, RoutesDecoder, unknown_groups
from wardgate.wire.errors import WireError
from wardgate.wire.token_sources import decode_sources


class AssemblyError(Exception):
    """The revision cannot be built; the one being served stays."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """``routes`` is the config without its credentials; ``routes_hash`` tells whether it is the one served already.

    ``refused_keys`` counts the keys left out because this version does not know a part of them.
    """

    routes: GatewayConfig
    routes_hash: str
    credentials: CredentialIndex
    refused_keys: int = 0


@dataclass(frozen=True, slots=True)
class Commit:
    """The groups of a revision (name to hash), and those that were received for it. Later ones are another commit's."""

    groups: Mapping[str, str]
    received: Mapping[tuple[str, str], bytes] = field(repr=False)


async def _breathe() -> None:
    """Requests first."""
    await asyncio.sleep(0)


def _source(groups: Mapping[str, str]) -> str:
    """Name the groups behind the routes. One that only a newer version knows may restrict them, so it counts."""
    return " ".join((groups[ROUTES], *unknown_groups(groups)))


class Assembly:
    """The groups that a worker has received, and the parts of a config that it has built of them."""

    def __init__(self) -> None:
        self._received: dict[tuple[str, str], bytes] = {}
        self._routes: tuple[str, GatewayConfig] | None = None
        self._decoder = RoutesDecoder()
        self._keys = KeysDecoder(compile_credential)
        self._refused: dict[str, int] = {}
        self._bucket_hashes: dict[str, str] = {}
        self._tokens: tuple[str, Sources] = ("", NO_SOURCES)
        self._index = CredentialIndex()
        self._leavings: list[Bucket] = []

    def take(self, name: str, group_hash: str, *, data: bytes) -> None:
        """Keep a group until a commit names it."""
        self._received[name, group_hash] = data

    def commit(self, groups: Mapping[str, str]) -> Commit:
        """Name the groups (name to hash) that make up a revision; to be built in this order."""
        received, self._received = self._received, {}
        return Commit(groups, received)

    async def build(self, commit: Commit) -> Assembled:
        """Build a revision. Raises ``AssemblyError``; groups that came for it must then be sent again."""
        groups = commit.groups
        try:
            routes = self._build_routes(commit)
            tokens = self._build_tokens(commit)
            changes = await self._changed_buckets(commit)
        except WireError as error:
            raise AssemblyError(str(error)) from error
        self._leavings += [bucket for name, bucket in self._index.buckets.items() if name in changes]
        self._tokens = tokens
        self._index = await self._next_index(changes)
        self._bucket_hashes = {name: held for name, held in groups.items() if name.startswith(KEYS_PREFIX)}
        self._keys.keep(self._bucket_hashes)
        self._refused = {name: count for name, count in self._refused.items() if name in self._bucket_hashes}
        self._routes = (_source(groups), routes)
        return Assembled(
            routes=routes,
            routes_hash=_source(groups),
            credentials=self._index,
            refused_keys=sum(self._refused.values()),
        )

    def _build_routes(self, commit: Commit) -> GatewayConfig:
        groups = commit.groups
        wanted = groups.get(ROUTES)
        if wanted is None:
            msg = "The revision has no routes."
            raise AssemblyError(msg)
        # A group of a newer schema may restrict routes, so the routes depend on which there are.
        if self._routes is not None and self._routes[0] == _source(groups):
            return self._routes[1]
        return self._decoder.decode(_verified(commit, ROUTES), unknown_groups=unknown_groups(groups)).config

    def _build_tokens(self, commit: Commit) -> tuple[str, Sources]:
        wanted = commit.groups.get(TOKENS, "")
        if wanted == self._tokens[0]:
            return self._tokens
        return wanted, compile_sources(decode_sources(_verified(commit, TOKENS))) if wanted else NO_SOURCES

    async def _changed_buckets(self, commit: Commit) -> dict[str, Bucket | None]:
        groups = commit.groups
        changes: dict[str, Bucket | None] = {name: None for name in self._bucket_hashes if name not in groups}
        for name, wanted in groups.items():
            if not name.startswith(KEYS_PREFIX) or self._bucket_hashes.get(name) == wanted:
                continue
            decoded = await self._decoded(name, _verified(commit, name))
            self._refused[name] = decoded.refused
            changes[name] = bucket_of(decoded.credentials)
            await _breathe()
        return changes

    async def _decoded(self, name: str, data: bytes) -> DecodedKeys[CompiledCredential | None]:
        steps = self._keys.steps(name, data)
        while True:
            try:
                next(steps)
            except StopIteration as ended:
                return cast("DecodedKeys[CompiledCredential | None]", ended.value)
            await _breathe()

    async def _next_index(self, changes: Mapping[str, Bucket | None]) -> CredentialIndex:
        following = NextIndex(self._index)
        following.take_from(self._tokens[1])
        for name in changes:
            following.take_out(name)
            await _breathe()
        for name, bucket in changes.items():
            if bucket is not None:
                following.put_in(name, bucket)
                await _breathe()
        return following.index

    async def forget(self) -> None:
        """Let go of the keys that are not served any more: piece by piece, where nobody else holds them."""
        while self._leavings:
            self._leavings.pop()
            await _breathe()


def _verified(commit: Commit, name: str) -> bytes:
    wanted = commit.groups[name]
    data = commit.received.get((name, wanted))
    if data is None or hash_of(data) != wanted:
        msg = f"The group {name} is missing or not what its hash says."
        raise AssemblyError(msg)
    return data
