"""Metadata ready for a request, and the sources that hold it once for many keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from types import MappingProxyType
from typing import Final, TypeAlias

from wardgate.ir import MetadataEntry, TokenSource
from wardgate.proxy.core.grammar import BREAKS_FRAMING
from wardgate.text_codec import to_bytes

Metadata: TypeAlias = Mapping[str, bytes]
NO_METADATA: Final[Metadata] = MappingProxyType({})
"""One for all credentials without any, of which there are many."""


def read_metadata(metadata: Iterable[MetadataEntry]) -> tuple[Metadata, Metadata]:
    """Return the entries that break no framing, and those of them that are legal in a header; one object if equal."""
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
    return (raw, raw) if len(sendable) == len(raw) else (raw, sendable)


class CompiledSource:
    """One source. ``raw`` and ``sendable`` as in ``CompiledCredential``."""

    __slots__ = ("allowed_hosts", "namespace", "raw", "sendable", "shared_with")

    def __init__(self, source: TokenSource) -> None:
        self.namespace = source.namespace
        self.shared_with = frozenset(source.shared_with)
        self.allowed_hosts = None if source.allowed_hosts is None else frozenset(source.allowed_hosts)
        self.raw, self.sendable = read_metadata(source.metadata)

    def serves(self, namespace: str) -> bool:
        """Whether keys of a namespace may take from it."""
        return namespace == self.namespace or namespace in self.shared_with


Sources: TypeAlias = Mapping[str, CompiledSource]
NO_SOURCES: Final[Sources] = MappingProxyType({})


def compile_sources(sources: Iterable[TokenSource]) -> Sources:
    """Compile the sources of a config, by their ids."""
    return {source.id: CompiledSource(source) for source in sources}
