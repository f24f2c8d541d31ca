"""The callers' keys: (key set, digest) to credential, in one dictionary that is replaced, never edited.

A change of one key brings one bucket of the config anew. ``replaced`` then builds the next index from this one: it
copies the dictionary and touches only what the buckets changed, so that a flip costs a pointer and whoever holds the
old index keeps a consistent one. Routes and plans are not involved.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
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
    break the message's framing is left out. ``by_header`` is ``raw`` under names in lower case, as headers compare:
    where two names differ in case only, the one that is in lower case counts.
    """

    __slots__ = (
        "allowed_hosts",
        "by_header",
        "digest",
        "expires_at",
        "id",
        "label",
        "name",
        "namespace",
        "raw",
        "sendable",
        "shared_with",
        "user_id",
    )

    def __init__(self, credential: Credential) -> None:
        self.digest = bytes.fromhex(credential.digest)
        self.id: CredentialId = (credential.key_set, self.digest)
        self.label = f"{credential.namespace}/{credential.name}"
        self.name = credential.name
        self.namespace = credential.namespace
        self.shared_with = credential.shared_with
        self.user_id = to_bytes(credential.name)
        self.expires_at = math.inf if credential.expires_at is None else credential.expires_at
        hosts = credential.allowed_hosts
        self.allowed_hosts = None if hosts is None else frozenset(hosts)
        self.raw = self.sendable = self.by_header = _NO_METADATA
        if credential.metadata:
            self._read(credential.metadata)

    def _read(self, metadata: Iterable[MetadataEntry]) -> None:
        raw: dict[str, bytes] = {}
        sendable: dict[str, bytes] = {}
        for entry in metadata:
            value = to_bytes(entry.value.reveal())
            if any(byte in value for byte in BREAKS_FRAMING):
                continue
            raw[entry.name] = value
            if entry.legal_header:
                sendable[entry.name] = value
        self.raw, self.sendable = raw, sendable
        self.by_header = {name.lower(): raw[name] for name in sorted(raw)}


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

    __slots__ = ("_buckets", "_entries")

    def __init__(
        self,
        entries: Mapping[CredentialId, CompiledCredential] | None = None,
        buckets: Mapping[str, Bucket] | None = None,
    ) -> None:
        self._entries = dict(entries or {})
        self._buckets = dict(buckets or {})

    @classmethod
    def of(cls, credentials: Iterable[Credential]) -> CredentialIndex:
        """Index credentials that come as one, without buckets."""
        return cls().replaced({"": bucket_of(map(compile_credential, credentials))})

    def replaced(self, changes: Mapping[str, Bucket | None]) -> CredentialIndex:
        """Return the index with some buckets replaced; None takes a bucket out."""
        following = CredentialIndex(self._entries, self._buckets)
        for name in changes:
            for credential_id in following._buckets.pop(name, {}):
                following._entries.pop(credential_id, None)
        for name, bucket in changes.items():
            if bucket is not None:
                following._buckets[name] = bucket
                following._entries.update(bucket)
        return following

    def get(self, credential_id: CredentialId) -> CompiledCredential | None:
        """Look a credential up."""
        return self._entries.get(credential_id)

    def holds(self, credential: CompiledCredential, *, now: float) -> bool:
        """Whether a key that was accepted earlier would be accepted now: it still exists and has not expired."""
        held = self._entries.get(credential.id)
        return held is not None and now < held.expires_at

    def ids(self) -> frozenset[CredentialId]:
        """List every credential, to find the ones that a change revoked: ``old.ids() - new.ids()``."""
        return frozenset(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
