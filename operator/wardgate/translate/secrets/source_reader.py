"""The meaning of one provider Secret: its entries, the hosts they are bound to, the namespaces they are shared with."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.api.kinds.annotations import AnnotationError
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.ir import MetadataEntry
from wardgate.problems import Reason
from wardgate.translate.secrets.entries import RefusedKey, read_hosts, read_metadata, read_sharing, size_of, too_large
from wardgate.translate.secrets.secret_references import DecodedSecret


@dataclass(frozen=True, slots=True)
class UsableSource:
    """``shared_with`` and ``sharing_fault`` as in ``UsableKey``."""

    metadata: tuple[MetadataEntry, ...]
    allowed_hosts: tuple[str, ...] | None
    shared_with: tuple[str, ...]
    sharing_fault: AnnotationError | None


@dataclass(frozen=True, slots=True)
class RefusedSource:
    """A Secret that gives nothing. ``shared_with``: who may know why, as far as that can be read."""

    why: RefusedKey
    shared_with: tuple[str, ...]


def read_source(secret: DecodedSecret, *, limit: int) -> UsableSource | RefusedSource:
    """Read one Secret that keys name. ``limit``: bytes of all its entries, names included."""
    shared_with, sharing_fault = read_sharing(secret)
    found = _read(secret, limit=limit)
    if isinstance(found, RefusedKey):
        return RefusedSource(found, shared_with)
    metadata, hosts = found
    return UsableSource(metadata, hosts, shared_with, sharing_fault)


def _read(
    secret: DecodedSecret, *, limit: int
) -> tuple[tuple[MetadataEntry, ...], tuple[str, ...] | None] | RefusedKey:
    if secret.fault:
        return RefusedKey(Reason.BAD_SECRET, secret.fault, secret.fault_field)
    if secret.type != PROVIDER_TOKEN_TYPE:
        return RefusedKey(Reason.BAD_SECRET, f"it is not of type {PROVIDER_TOKEN_TYPE}", ("type",))
    hosts = read_hosts(secret)
    if isinstance(hosts, RefusedKey):
        return hosts
    metadata = tuple(read_metadata(secret))
    if not metadata:
        return RefusedKey(Reason.BAD_SECRET, "it has no entry with content", ("data",))
    size = size_of(metadata)
    return too_large(size, limit) if size > limit else (metadata, hosts)
