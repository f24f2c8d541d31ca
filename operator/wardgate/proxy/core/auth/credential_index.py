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
from typing import TypeAlias

from wardgate.ir import Credential, TokenSource
from wardgate.proxy.core.auth.networks import networks_of
from wardgate.proxy.core.auth.token_sources import (
    NO_METADATA,
    NO_SOURCES,
    CompiledSource,
    Sources,
    compile_sources,
    read_metadata,
)
from wardgate.text_codec import to_bytes

CredentialId: TypeAlias = tuple[str, bytes]
"""Key set and raw digest."""
Bucket: TypeAlias = "Mapping[CredentialId, CompiledCredential]"

_DIGEST = re.compile("[0-9a-f]{64}")


class CompiledCredential:
    """One key, ready for a request. ``sendable`` holds the metadata that is legal in a header.

    ``raw`` holds all of it, for ``match`` and for policies that switched the validation off: there only what would
    break the message's framing is left out. There may be a hundred thousand, so nothing is held that can be made when
    it is asked for. ``source``: the id of the ``TokenSource`` that it takes from, or empty; ``CredentialIndex.joined``
    puts the two together.
    """

    __slots__ = (
        "allowed_from",
        "allowed_hosts",
        "digest",
        "expires_at",
        "id",
        "name",
        "namespace",
        "raw",
        "sendable",
        "shared_with",
        "source",
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
        self.source = intern(credential.metadata_from)
        networks = credential.allowed_from
        self.allowed_from = None if networks is None else networks_of(networks)
        self.raw = self.sendable = NO_METADATA
        if credential.metadata:
            self.raw, self.sendable = read_metadata(credential.metadata)

    @property
    def token_owner(self) -> str:
        """The namespace whose token it is."""
        return self.namespace

    def may_be_used_on(self, owner: str) -> bool:
        """Whether the owners of all that it gives allow the routes of a tenant, by binding it to hosts or by name."""
        return self.allowed_hosts is not None or owner in self.shared_with

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


class _Joined(CompiledCredential):
    """A key with what its source gives. Its own entries win; of restrictions, those of both hold.

    All of it is the source's owner's, because nobody can tell apart what a template makes of two entries.
    """

    __slots__ = ("_is_bound", "_owner")

    def __init__(self, key: CompiledCredential, source: CompiledSource) -> None:
        self.digest = key.digest
        self.id = key.id
        self.name = key.name
        self.namespace = key.namespace
        self.expires_at = key.expires_at
        self.source = key.source
        self.allowed_from = key.allowed_from
        self.raw = {**source.raw, **key.raw}
        # An entry of the key that no header can carry hides the source's: that one was not meant.
        given = {name: value for name, value in source.sendable.items() if name not in key.raw}
        self.sendable = {**given, **key.sendable}
        self.shared_with = tuple(source.shared_with.intersection((key.namespace, *key.shared_with)))
        if key.allowed_hosts is None or source.allowed_hosts is None:
            self.allowed_hosts = key.allowed_hosts if source.allowed_hosts is None else source.allowed_hosts
        else:
            self.allowed_hosts = key.allowed_hosts & source.allowed_hosts
        self._is_bound = source.allowed_hosts is not None and (key.allowed_hosts is not None or not key.raw)
        self._owner = source.namespace

    @property
    def token_owner(self) -> str:
        """The namespace whose token it is."""
        return self._owner

    def may_be_used_on(self, owner: str) -> bool:
        """Whether the owners of all that it gives allow the routes of a tenant, by binding it to hosts or by name."""
        return self._is_bound or owner in self.shared_with


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
    """All credentials of a revision, and the sources that they take metadata from."""

    __slots__ = ("buckets", "entries", "sources")

    def __init__(self) -> None:
        self.entries: dict[CredentialId, CompiledCredential] = {}
        self.buckets: dict[str, Bucket] = {}
        self.sources = NO_SOURCES

    @classmethod
    def of(cls, credentials: Iterable[Credential], sources: Iterable[TokenSource] = ()) -> CredentialIndex:
        """Index credentials that come as one, without buckets."""
        index = cls().replaced({"": bucket_of(map(compile_credential, credentials))})
        index.sources = compile_sources(sources)
        return index

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

    def joined(self, credential: CompiledCredential) -> CompiledCredential | None:
        """Return a credential with what its source gives; None: the source is not there, or not for its namespace."""
        source = self._source_of(credential)
        return None if source is None else _Joined(credential, source)

    def holds(self, credential: CompiledCredential, *, now: float) -> bool:
        """Whether a key that was accepted would be accepted now: it and its source are there, its time is not over."""
        held = self.entries.get(credential.id)
        if held is None or now >= held.expires_at:
            return False
        return not held.source or self._source_of(held) is not None

    def _source_of(self, credential: CompiledCredential) -> CompiledSource | None:
        """The source of a credential that names one, if there is one for its namespace."""
        source = self.sources.get(credential.source)
        return source if source is not None and source.serves(credential.namespace) else None

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
        self.index.sources = last.sources

    def take_out(self, name: str) -> None:
        """Forget a bucket, if there is one of that name."""
        for credential_id in self.index.buckets.pop(name, {}):
            self.index.entries.pop(credential_id, None)

    def take_from(self, sources: Sources) -> None:
        """Replace the sources, all of them."""
        self.index.sources = sources

    def put_in(self, name: str, bucket: Bucket) -> None:
        """Add a bucket."""
        self.index.buckets[name] = bucket
        self.index.entries.update(bucket)
