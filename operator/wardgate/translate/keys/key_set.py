"""One key set: the Secrets that hold its keys, and the credentials made of them.

A key set is immutable. ``after`` makes the next one and looks only at the Secrets that came and went; the result equals
a set made of all Secrets at once. The order in which Secrets came decides nothing: within one key set the oldest Secret
with a key wins.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Final, TypeAlias, TypeVar

from wardgate.ir import ApiKeyStep, Credential
from wardgate.problems import ObjectRef, Problem, Reason
from wardgate.translate.contract import KeySetRequest
from wardgate.translate.keys import key_warnings
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.key_tally import KeyTally
from wardgate.translate.keys.shortcomings import needed_entries, needs, shortcomings
from wardgate.translate.keys.token_flow import Credentials
from wardgate.translate.secrets.entries import RefusedKey
from wardgate.translate.secrets.key_reader import UsableKey
from wardgate.translate.secrets.secret_index import HeldSecret, SecretChange, SecretIndex

_ValueT = TypeVar("_ValueT")
_Select: TypeAlias = Callable[[Iterable[tuple[str, str]]], list[HeldSecret]]
_ByDigest: TypeAlias = Mapping[str, Mapping[HeldSecret, None]]
_AGE: Final = attrgetter("age_key")
_DIGEST: Final = attrgetter("digest")
_REJECTED: Final = (Reason.BAD_SECRET, Reason.EXPIRED_KEY, Reason.TOO_LARGE)
_MANY: Final = 64
"""With more changed keys, sorting all anew costs less than finding the position of each."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One key: the oldest Secret that holds it, its credential, and the younger Secrets with the same key, by age."""

    holder: HeldSecret
    credential: Credential
    rivals: tuple[HeldSecret, ...] = ()


class KeySet:
    """The set; see above. ``credentials`` are sorted by digest; ``tally`` counts their entries."""

    def __init__(self, request: KeySetRequest, rules: KeyRules) -> None:
        self.request = request
        self.name = request.name
        self.credentials: tuple[Credential, ...] = ()
        self.tally = KeyTally()
        self._rules = rules
        self._holdings: dict[str, Holding] = {}
        self._faults: dict[HeldSecret, Problem] = {}
        """Secrets of the key type that are no keys here."""
        self._remarks: dict[HeldSecret, Problem] = {}
        """Faults of Secrets, whether or not they are keys here."""
        self._mistyped: dict[HeldSecret, None] = {}
        self._shortcomings: dict[object, tuple[Problem, ...]] = {}
        self._present: frozenset[ObjectRef] = frozenset()
        """The Secrets that the request names and that exist, of whatever type."""

    def after(self, change: SecretChange) -> KeySet:
        """The set of the next snapshot: this very one if nothing in it changed."""
        if not change.may_concern(self.request):
            return self
        gone, come = _Chosen(self.request, change.gone), _Chosen(self.request, change.come)
        if not (gone or come):
            return self
        successor = KeySet(self.request, self._rules)
        successor._mistyped = {**_without(self._mistyped, gone.mistyped), **come.mistyped}
        successor._present = (self._present - gone.named) | come.named
        successor._faults = {**_without(self._faults, gone.keys), **dict(self._faulty(come.keys))}
        successor._remarks = {**_without(self._remarks, gone.keys), **dict(self._misshared(come.keys))}
        old = self._by_digest(one for one in gone.keys if one not in self._faults)
        new = self._by_digest(one for one in come.keys if one not in successor._faults)
        successor._take_over(self, {digest: self._held(digest, old, new=new) for digest in {**old, **new}})
        return successor

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The faults of the set's Secrets: missing ones first."""
        missing = (
            key_warnings.missing(ref, self._rules.sight) for ref in self.request.refs if ref not in self._present
        )
        return (*missing, *self.faults)

    @cached_property
    def faults(self) -> tuple[Problem, ...]:
        """The faults of the Secrets that there are, the oldest first."""
        mistyped = sorted((one.ref, one.decoded().type) for one in self._mistyped)
        found = [*self._faults.items(), *self._remarks.items(), *self._duplicates()]
        found.sort(key=lambda fault: fault[0].age_key)
        return (*(key_warnings.mistyped(*one) for one in mistyped), *(problem for _, problem in found))

    @cached_property
    def bound(self) -> tuple[Credential, ...]:
        """The credentials that are bound to hosts."""
        return tuple(one for one in self.credentials if one.allowed_hosts is not None)

    def secrets(self) -> Iterator[HeldSecret]:
        """All Secrets of the key type that the request selects, usable or not."""
        yield from self._faults
        for holding in self._holdings.values():
            yield holding.holder
            yield from holding.rivals

    @cached_property
    def rejected(self) -> Mapping[ObjectRef, str]:
        """The Secrets that exist and are no keys, with the reason."""
        faults = ((one.ref, one.reason.value) for one in self.problems if one.reason in _REJECTED)
        return dict(sorted(faults))

    @cached_property
    def duplicates(self) -> frozenset[ObjectRef]:
        """The Secrets whose keys are held by older ones."""
        return frozenset(one.ref for one in self.problems if one.reason is Reason.DUPLICATE_KEY)

    def shortcomings(self, step: ApiKeyStep, tokens: Credentials) -> tuple[Problem, ...]:
        """The shortcomings of the keys for one step. Policies that share a set often have the same needs."""
        if not self.tally.may_lack(step, len(self.credentials), needed=needed_entries(step, tokens)):
            return ()
        needed = needs(step, tokens)
        if needed not in self._shortcomings:
            self._shortcomings[needed] = tuple(shortcomings(self.credentials, step, tokens=tokens))
        return self._shortcomings[needed]

    def _faulty(self, secrets: Iterable[HeldSecret]) -> Iterator[tuple[HeldSecret, Problem]]:
        """The Secrets that are no keys in this set, with the reason."""
        for one in secrets:
            key = self._key(one)
            if isinstance(key, RefusedKey):
                yield one, key_warnings.refused(one.ref, key)
            elif not self._counts(one, key):
                yield one, key_warnings.unshared(one.ref, self.request.tenant)

    def _counts(self, one: HeldSecret, key: UsableKey) -> bool:
        tenant = self.request.tenant
        return tenant in ("", one.ref.namespace, *key.shared_with)

    def _misshared(self, secrets: Iterable[HeldSecret]) -> Iterator[tuple[HeldSecret, Problem]]:
        """The Secrets that their owner shares in vain."""
        for one in secrets:
            key = self._key(one)
            if isinstance(key, RefusedKey):
                continue
            if key.sharing_fault is not None:
                yield one, key_warnings.misshared(one.ref, key.sharing_fault)
            elif key.shared_with and not self._rules.tenancy.is_platform(one.ref.namespace):
                yield one, key_warnings.shared_in_vain(one.ref)

    def _duplicates(self) -> Iterator[tuple[HeldSecret, Problem]]:
        for holding in self._holdings.values():
            for one in holding.rivals:
                yield one, key_warnings.duplicate(one.ref, holding.holder.ref, tenancy=self._rules.tenancy)

    def _by_digest(self, secrets: Iterable[HeldSecret]) -> _ByDigest:
        found: dict[str, dict[HeldSecret, None]] = {}
        for one in secrets:
            found.setdefault(self._usable(one).digest, {})[one] = None
        return found

    def _held(self, digest: str, old: _ByDigest, *, new: _ByDigest) -> Holding | None:
        """The present holder of a key; None if there is none any more."""
        before = self._holdings.get(digest)
        held = () if before is None else (before.holder, *before.rivals)
        gone = old.get(digest, ())
        candidates = sorted((*(one for one in held if one not in gone), *new.get(digest, ())), key=_AGE)
        if not candidates:
            return None
        credential = self._credential(digest, candidates[0])
        if before is not None and before.credential == credential:
            # The identical object tells the encoder that nothing changed.
            credential = before.credential
        return Holding(candidates[0], credential, tuple(candidates[1:]))

    def _credential(self, digest: str, holder: HeldSecret) -> Credential:
        key = self._usable(holder)
        return Credential(
            key_set=self.name,
            digest=digest,
            namespace=holder.ref.namespace,
            name=holder.ref.name,
            expires_at=key.expires_at,
            allowed_hosts=key.allowed_hosts,
            shared_with=key.shared_with if self._rules.tenancy.shares(holder.ref.namespace) else (),
            metadata=key.metadata,
            metadata_from=key.metadata_from,
            allowed_from=key.allowed_from,
        )

    def _take_over(self, before: KeySet, changed: Mapping[str, Holding | None]) -> None:
        """Hold the keys of an earlier set, with the changes."""
        holdings = before._holdings.copy()
        gone, come = [], []
        for digest, holding in changed.items():
            last = holdings.pop(digest, None)
            if last is not None:
                gone.append(last.credential)
            if holding is not None:
                holdings[digest] = holding
                come.append(holding.credential)
        self._holdings = holdings
        self.credentials = _replaced(before.credentials, gone, come=come)
        self.tally = before.tally.after(gone, come)

    def _usable(self, one: HeldSecret) -> UsableKey:
        key = self._key(one)
        assert isinstance(key, UsableKey)
        return key

    def _key(self, one: HeldSecret) -> UsableKey | RefusedKey:
        return one.key(self.request.form, limit=self._rules.limit)


class _Chosen:
    """The Secrets among some that a request means: by label within the set's scope, and by name."""

    __slots__ = ("keys", "mistyped", "named")

    def __init__(self, request: KeySetRequest, among: SecretIndex) -> None:
        self.keys = dict.fromkeys(labelled(request, among.selected))
        self.mistyped = dict.fromkeys(labelled(request, among.mistyped))
        self.named: set[ObjectRef] = set()
        for ref in request.refs:
            found = among.get(ref)
            if found is not None:
                self.named.add(ref)
                (self.keys if found.is_key else self.mistyped)[found] = None

    def __bool__(self) -> bool:
        return bool(self.keys or self.mistyped)


def labelled(request: KeySetRequest, select: _Select) -> list[HeldSecret]:
    """The Secrets that the selector finds within the set's scope; an empty selector finds none."""
    if not request.selector:
        return []
    return [one for one in select(request.selector) if request.scope is None or one.ref.namespace in request.scope]


def _without(entries: dict[HeldSecret, _ValueT], gone: Iterable[HeldSecret]) -> dict[HeldSecret, _ValueT]:
    left = entries.copy()
    for one in gone:
        left.pop(one, None)
    return left


def _replaced(
    credentials: tuple[Credential, ...], gone: Sequence[Credential], *, come: Sequence[Credential]
) -> tuple[Credential, ...]:
    """The credentials without some and with others, still sorted by digest."""
    if len(gone) + len(come) > _MANY:
        digests = {one.digest for one in gone}
        kept = (one for one in credentials if one.digest not in digests)
        return tuple(sorted((*kept, *come), key=_DIGEST))
    replaced = list(credentials)
    for one in gone:
        del replaced[bisect_left(replaced, one.digest, key=_DIGEST)]
    for one in come:
        insort(replaced, one, key=_DIGEST)
    return tuple(replaced)
