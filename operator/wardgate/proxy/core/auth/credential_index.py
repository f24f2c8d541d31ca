"""The callers' keys: (key set, digest) to credential, in one dictionary that is replaced, never edited.

A change of one key brings one bucket of the config anew. ``NextIndex`` then builds the next index from this one: it
copies the dictionary and touches only what the buckets changed, so that a flip costs a pointer and whoever holds the
old index keeps a consistent one. It works bucket by bucket, for a hundred thousand keys may change while requests are
served. Routes and plans are not involved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from sys import intern
from types import MappingProxyType
from typing import TypeAlias

from wardgate.ir import Credential, MetadataEntry
from wardgate.proxy.core.grammar import BREAKS_FRAMING
from wardgate.text_codec import to_bytes

CredentialId: TypeAlias = tuple[str, bytes]
"""Key set and raw digest."""
Bucket: TypeAlias = "Mapping[CredentialId, CompiledCredential]"

_DIGEST = re.compile("[0-9a-f]{64}")
_NO_METADATA: Mapping[str, bytes] = MappingProxyType({})
"""One for all credentials without any, of which there are many."""


class CompiledCredential:
    """One key, ready for a request. ``sendable`` holds the metadata that is legal in a header.

    ``raw`` holds all of it, for ``match`` and for policies that switched the validation off: there only what would
    break the message's framing is left out. There may be a hundred thousand, so nothing is held that can be made when
    it is asked for.
    """

    __slots__ = (
        "allowed_hosts",
        "digest",
        "expires_at",
        "id",
        "name",
        "namespace",
        "raw",
        "sendable",
        "shared_with",
    )

    def __init__(self, credential: Credential) -> None:
        self.digest = bytes.fromhex(credential.digest)
        self.id: CredentialId = (credential.key_set, self.digest)
        self.name = credential.name
        self.namespace = intern(credential.namespace)
        self.shared_with = credential.shared_with
        self.expires_at = math.inf if credential.expires_at is None else credential.expires_at
        hosts = credential.allowed_hosts
        self.allowed_hosts = None if hosts is None else frozenset(hosts)
        self.raw = self.sendable = _NO_METADATA
        if credential.metadata:
            self._read(credential.metadata)

    @property
    def label(self) -> str:
        """Namespace and name of the Secret, for the access log."""
        return f"{self.namespace}/{self.name}"

    @property
    def user_id(self) -> bytes:
        """The name, for ``x-user-id``."""
        return to_bytes(self.name)

    def stored(self, header: str) -> bytes | None:
        """Return the metadata for a header, in lower case; of names that differ in case only, the one in it counts."""
        return next((self.raw[name] for name in sorted(self.raw, reverse=True) if name.lower() == header), None)

    def _read(self, metadata: Iterable[MetadataEntry]) -> None:
        raw: dict[str, bytes] = {}
        sendable: dict[str, bytes] = {}
        for entry in metadata:
            value = to_bytes(entry.value.reveal())
            if any(byte in value for byte in BREAKS_FRAMING):
                continue
            # There are few names, and many credentials.
            name = intern(entry.name)
            raw[name] = value
            if entry.legal_header:
                sendable[name] = value
        self.raw = raw
        self.sendable = raw if len(sendable) == len(raw) else sendable


def compile_credential(credential: Credential) -> CompiledCredential | None:
    """Compile one; None where its digest is no digest, which refuses its key."""
    return CompiledCredential(credential) if _DIGEST.fullmatch(credential.digest) else None


def bucket_of(compiled: Iterable[CompiledCredential | None]) -> Bucket:
    """Put credentials together. Where two claim the same key, the first stays: the config has them in order."""
    bucket: dict[CredentialId, CompiledCredential] = {}
    for one in compiled:
        if one is not None:
            bucket.setdefault(one.id, one)
    return bucket


class CredentialIndex:
    """All credentials of a revision."""

    __slots__ = ("buckets", "entries")

    def __init__(self) -> None:
        self.entries: dict[CredentialId, CompiledCredential] = {}
        self.buckets: dict[str, Bucket] = {}

    @classmethod
    def of(cls, credentials: Iterable[Credential]) -> CredentialIndex:
        """Index credentials that come as one, without buckets."""
        return cls().replaced({"": bucket_of(map(compile_credential, credentials))})

    def replaced(self, changes: Mapping[str, Bucket | None]) -> CredentialIndex:
        """Return the index with some buckets replaced; None takes a bucket out."""
        following = NextIndex(self)
        for name in changes:
            following.take_out(name)
        for name, bucket in changes.items():
            if bucket is not None:
                following.put_in(name, bucket)
        return following.index

    def get(self, credential_id: CredentialId) -> CompiledCredential | None:
        """Look a credential up."""
        return self.entries.get(credential_id)

    def holds(self, credential: CompiledCredential, *, now: float) -> bool:
        """Whether a key that was accepted earlier would be accepted now: it still exists and has not expired."""
        held = self.entries.get(credential.id)
        return held is not None and now < held.expires_at

    def ids(self) -> frozenset[CredentialId]:
        """List every credential, to find the ones that a change revoked: ``old.ids() - new.ids()``."""
        return frozenset(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


class NextIndex:
    """Makes the index that follows another one. First take out every bucket that changed, then put in what is new.

    In this order, because a key may move from one bucket to another.
    """

    __slots__ = ("index",)

    def __init__(self, last: CredentialIndex) -> None:
        self.index = CredentialIndex()
        self.index.entries = dict(last.entries)
        self.index.buckets = dict(last.buckets)

    def take_out(self, name: str) -> None:
        """Forget a bucket, if there is one of that name."""
        for credential_id in self.index.buckets.pop(name, {}):
            self.index.entries.pop(credential_id, None)

    def put_in(self, name: str, bucket: Bucket) -> None:
        """Add a bucket."""
        self.index.buckets[name] = bucket
        self.index.entries.update(bucket)
