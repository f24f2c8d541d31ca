"""The Secrets of one snapshot: by name, and by the labels of a key selector.

An index is immutable. The next one is made of the last one and looks only at the Secrets that changed; results read
from the others stay with them. An old index goes on to show the old Secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from wardgate.api import parse_object
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.api.kinds.secret import DEFAULT_TYPE
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, KeySetRequest
from wardgate.translate.incremental.differences import differences
from wardgate.translate.incremental.label_index import LabelIndex
from wardgate.translate.manifests import labels_of
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.secrets.key_reader import UsableKey, read_key
from wardgate.translate.secrets.secret_references import DecodedSecret, decode_secret, type_of
from wardgate.translate.secrets.source_reader import RefusedSource, UsableSource, read_source

_KEY_TYPE_GROUP: Final = KEY_SECRET_TYPE.partition("/")[0]


class HeldSecret:
    """One version of one Secret, with the results read from it so far. Equal only to itself."""

    __slots__ = ("_decoded", "_keys", "_source", "labels", "stored", "type")

    def __init__(self, stored: StoredObject) -> None:
        self.stored = stored
        self.type = type_of(stored)
        self.labels = tuple(labels_of(stored.manifest).items())
        self._decoded: DecodedSecret | None = None
        self._keys: dict[tuple[KeyForm, int], UsableKey | RefusedKey] = {}
        self._source: tuple[int, UsableSource | RefusedSource] | None = None

    @property
    def ref(self) -> ObjectRef:
        """The Secret."""
        return self.stored.ref

    @property
    def age_key(self) -> tuple[str, str, str]:
        """Sort key: the oldest first."""
        return self.stored.age_key

    @property
    def is_key(self) -> bool:
        """Whether its type is that of key Secrets."""
        return self.type == KEY_SECRET_TYPE

    @property
    def is_misfit(self) -> bool:
        """Whether its type is the default one, or nearly that of key Secrets: its author may have meant a key."""
        return self.type == DEFAULT_TYPE or (not self.is_key and self.type.lower().startswith(_KEY_TYPE_GROUP))

    def decoded(self) -> DecodedSecret:
        """The Secret with its data."""
        if self._decoded is None:
            self._decoded = self._decode()
        return self._decoded

    def key(self, form: KeyForm, *, limit: int) -> UsableKey | RefusedKey:
        """The Secret read as a key; see ``read_key``. Its decoded data are not kept as well: there are many keys."""
        key = self._keys.get((form, limit))
        if key is None:
            key = self._keys[form, limit] = read_key(self._decoded or self._decode(), form=form, limit=limit)
        return key

    def source(self, *, limit: int) -> UsableSource | RefusedSource:
        """The Secret read as one that keys take from; see ``read_source``."""
        if self._source is None or self._source[0] != limit:
            self._source = limit, read_source(self.decoded(), limit=limit)
        return self._source[1]

    def _decode(self) -> DecodedSecret:
        return decode_secret(self.stored, parse_object(self.stored.manifest))


class SecretChange:
    """The difference between two indexes. A changed Secret is in both parts: old version and new version."""

    def __init__(self, gone: SecretIndex, come: SecretIndex) -> None:
        self.gone = gone
        self.come = come

    def may_concern(self, request: KeySetRequest) -> bool:
        """Whether the request may select any changed Secret. A quick test: most changes concern few requests."""
        if request.selector and self._labels.issuperset(request.selector):
            return True
        return any(self.gone.get(ref) or self.come.get(ref) for ref in request.refs)

    @cached_property
    def _labels(self) -> set[tuple[str, str]]:
        return self.gone.labels() | self.come.labels()


class SecretIndex:
    """The index; see above. ``key_secrets`` are those of the key type."""

    def __init__(self, held: Sequence[HeldSecret] = ()) -> None:
        self._stored: Sequence[StoredObject] = [one.stored for one in held]
        self._held = {id(one.stored): one for one in held}
        self._by_ref = {one.ref: one for one in held}
        self.key_secrets = LabelIndex((one, one.labels) for one in held if one.is_key)
        self._misfits = LabelIndex((one, one.labels) for one in held if one.is_misfit)

    def after(self, stored: Sequence[StoredObject]) -> SecretIndex:
        """The index of the next snapshot."""
        old, new = differences(self._stored, stored)
        gone, come = [self._held[id(one)] for one in old], [HeldSecret(one) for one in new]
        index = SecretIndex()
        index._stored = stored
        index._held, index._by_ref = self._held.copy(), self._by_ref.copy()
        # Deletions first: a changed Secret is in both lists, under one name.
        for one in gone:
            del index._held[id(one.stored)]
            del index._by_ref[one.ref]
        for one in come:
            index._held[id(one.stored)] = index._by_ref[one.ref] = one
        index.key_secrets = self.key_secrets.after(
            ((one, one.labels) for one in gone if one.is_key), ((one, one.labels) for one in come if one.is_key)
        )
        index._misfits = self._misfits.after(
            ((one, one.labels) for one in gone if one.is_misfit), ((one, one.labels) for one in come if one.is_misfit)
        )
        return index

    def change_since(self, before: SecretIndex) -> SecretChange:
        """The difference from an earlier index."""
        gone, come = differences(before._stored, self._stored)
        return SecretChange(
            gone=SecretIndex([before._held[id(one)] for one in gone]),
            come=SecretIndex([self._held[id(one)] for one in come]),
        )

    def get(self, ref: ObjectRef) -> HeldSecret | None:
        """The Secret of that name, of any type."""
        return self._by_ref.get(ref)

    def labels(self) -> set[tuple[str, str]]:
        """All labels of key Secrets and of those that may be meant as keys."""
        return {*self.key_secrets.labels(), *self._misfits.labels()}

    def selected(self, selector: Iterable[tuple[str, str]]) -> list[HeldSecret]:
        """The key Secrets that carry all these labels."""
        return self.key_secrets.carrying(selector)

    def mistyped(self, selector: Iterable[tuple[str, str]]) -> list[HeldSecret]:
        """The Secrets that carry all these labels and a type that may be meant for that of keys."""
        return self._misfits.carrying(selector)

    def shows(self, asked: Mapping[ObjectRef, StoredObject | None]) -> bool:
        """Whether each of these Secrets is still the one that was found, and those that were absent still are."""
        found = ((self._by_ref.get(ref), stored) for ref, stored in asked.items())
        return all((None if held is None else held.stored) is stored for held, stored in found)


class NamedSecrets:
    """Secrets by name, for one reader. Records every request with its result: these Secrets have to be watched."""

    def __init__(self, index: SecretIndex) -> None:
        self.index = index
        self.asked: dict[ObjectRef, StoredObject | None] = {}

    def find(self, namespace: str, name: str) -> DecodedSecret | None:
        """The Secret of that name, of any type."""
        ref = ObjectRef("Secret", namespace, name)
        held = self.index.get(ref)
        self.asked[ref] = None if held is None else held.stored
        return None if held is None else held.decoded()
