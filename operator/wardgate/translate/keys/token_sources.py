"""The provider Secrets that keys take metadata from: who may, what is published, and why a key gets nothing.

Rule 1: a key takes from a source of its own namespace, or from one that names the key's namespace in ``share-with``, in
        shared tenancy too. Under isolated tenancy only the platform's sources are shared.
Rule 2: a source that is missing, unreadable, empty or not shared closes the keys that name it, and no others.
Rule 3: the config holds a source once, however many keys take from it, and none that no key may take from.
Rule 4: a tenant gets the same answer about a source that does not exist and one that is not shared with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from wardgate.api.kinds.annotations import METADATA_FROM, SHARE_WITH
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.ir import Credential, TokenSource
from wardgate.problems import Cause, FieldPath, ObjectRef, Reason
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.secrets.secret_index import SecretIndex
from wardgate.translate.secrets.source_reader import RefusedSource, UsableSource

Demand: TypeAlias = tuple[str, str]
"""A source's id, and a namespace whose keys name it."""


@dataclass(frozen=True, slots=True)
class SourceFault:
    """The reason why keys get nothing from a source. ``complaint`` is a sentence about it, with its remedy."""

    reason: Reason
    complaint: str
    cause: Cause


class TokenSources:
    """The sources in one index of Secrets."""

    def __init__(self, index: SecretIndex, rules: KeyRules) -> None:
        self._index = index
        self._rules = rules

    def find(self, demand: Demand) -> TokenSource | SourceFault:
        """The source, as keys of a namespace have it."""
        ref, taker = source_ref(demand[0]), demand[1]
        found = self._read(ref)
        if found is None or not self._is_permitted(ref, found, taker=taker):
            return self._withheld(ref, found, taker=taker)
        if isinstance(found, RefusedSource):
            complaint = f"{ref} gives nothing: {found.why.complaint}. Correct it"
            return _fault(found.why.reason, complaint, ref=ref, field=found.why.field)
        return TokenSource(
            namespace=ref.namespace,
            name=ref.name,
            metadata=found.metadata,
            allowed_hosts=found.allowed_hosts,
            shared_with=found.shared_with if self._shares(ref.namespace) else (),
        )

    def published(self, demands: Iterable[Demand]) -> tuple[TokenSource, ...]:
        """The sources that some key may take from, sorted (rule 3)."""
        found = (self.find(demand) for demand in set(demands))
        sources = {(one.namespace, one.name): one for one in found if isinstance(one, TokenSource)}
        return tuple(sources[place] for place in sorted(sources))

    def _read(self, ref: ObjectRef) -> UsableSource | RefusedSource | None:
        held = self._index.get(ref)
        return None if held is None else held.source(limit=self._rules.limit)

    def _is_permitted(self, ref: ObjectRef, found: UsableSource | RefusedSource, *, taker: str) -> bool:
        """Rule 1."""
        if taker == ref.namespace:
            return True
        return taker in found.shared_with and self._shares(ref.namespace)

    def _shares(self, namespace: str) -> bool:
        return self._rules.tenancy.is_platform(namespace)

    def _withheld(self, ref: ObjectRef, found: UsableSource | RefusedSource | None, *, taker: str) -> SourceFault:
        share = f"have its owner list {taker} in its annotation {SHARE_WITH}"
        if taker != ref.namespace and not self._rules.tenancy.is_platform(taker):
            complaint = (
                f"there is no {ref} of type {PROVIDER_TOKEN_TYPE} that the platform shares with {taker}. Name another, "
                f"or {share}"
            )
            return _fault(Reason.REF_NOT_FOUND, complaint, ref=ref)
        if found is None:
            reason, absence = self._rules.sight.absence(ref)
            remedy = f"Create it, of type {PROVIDER_TOKEN_TYPE}" if reason is Reason.REF_NOT_FOUND else "Or move it"
            return _fault(reason, f"{ref} {absence}. {remedy}", ref=ref)
        complaint = f"{ref} is not shared with namespace {taker}. Name another, or {share}"
        return _fault(Reason.REF_NOT_PERMITTED, complaint, ref=ref, field=("metadata", "annotations", SHARE_WITH))


def source_ref(source_id: str) -> ObjectRef:
    """The Secret of a source's id."""
    namespace, _, name = source_id.partition("/")
    return ObjectRef("Secret", namespace, name)


def joined(key: Credential, source: TokenSource) -> Credential:
    """A key with what its source gives, as the proxy puts them together."""
    entries = {entry.name: entry for entry in (*source.metadata, *key.metadata)}
    hosts = [set(one) for one in (key.allowed_hosts, source.allowed_hosts) if one is not None]
    return replace(
        key,
        metadata=tuple(entries[name] for name in sorted(entries)),
        allowed_hosts=tuple(sorted(set.intersection(*hosts))) if hosts else None,
        shared_with=tuple(sorted({key.namespace, *key.shared_with}.intersection(source.shared_with))),
    )


def overlap(key: Credential, source: TokenSource) -> Iterator[str]:
    """The entries that a key has of its own although its source gives them too."""
    given = {entry.name for entry in source.metadata}
    return (entry.name for entry in key.metadata if entry.name in given)


def _fault(reason: Reason, complaint: str, *, ref: ObjectRef, field: FieldPath = ()) -> SourceFault:
    return SourceFault(reason, f"{complaint}.", Cause(ref, field))


FIELD: FieldPath = ("metadata", "annotations", METADATA_FROM)
"""The field of a key Secret that names its source."""
