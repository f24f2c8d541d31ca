"""Key Secrets to credentials, one key set at a time.

Rule 1: what is wrong with one Secret costs that Secret alone. It becomes a warning that names it, never its content.
Rule 2: whatever restricts a key (an expiry, a list of hosts) refuses the key when it cannot be read.
Rule 3: within one key set the oldest Secret with a key wins; a Secret outside the set displaces nobody.
Rule 4: equal requests are one key set: a policy that changes leaves every credential as it was.

No clock is read here: an expiry is handed on, and the proxy compares it. What a Secret means by itself is computed once
per version (``scope.memo``); per key set only the joining remains.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, takewhile
from types import MappingProxyType
from typing import Final, TypeAlias

from wardgate.api.key_secret import KEY_SECRET_TYPE
from wardgate.ir import ApiKeyStep, Credential, Digest, MetadataEntry, MetadataHeader
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, KeyOutcome, KeySetRequest, ParsedObject, PolicyOutcome, Scope
from wardgate.translate.policies import key_warnings
from wardgate.translate.policies.key_secret import RefusedKey, UsableKey, read_key
from wardgate.translate.secrets import SecretIndex

_UNFRAMED: Final = frozenset("\r\n\0")
"""What the proxy puts into no header, even where a policy skips the validation."""
_MAKE_IT_TEXT: Final = "Make it UTF-8 text without control characters."
_NAMED_AT_MOST: Final = 10
"""Secrets that one policy's status names for one step; further ones are counted."""

_Select: TypeAlias = Callable[[Iterable[tuple[str, str]]], list[StoredObject]]


@dataclass(frozen=True, slots=True)
class ResolvedKeys(KeyOutcome):
    """An outcome that also knows how many keys of each set carry an entry: ``sendable`` and ``illegal`` in a header.

    ``comparable`` counts those that ``match`` can compare with a header, under names in lower case.
    Hundreds of policies may share a set of ten thousand keys; the counts spare each of them a look at every key.
    """

    sendable: Mapping[str, Counter[str]] = field(default_factory=dict)
    illegal: Mapping[str, Counter[str]] = field(default_factory=dict)
    comparable: Mapping[str, Counter[str]] = field(default_factory=dict)

    def may_lack(self, step: ApiKeyStep) -> bool:
        """Whether a header of the step can fail to be set from one of its keys, in a way worth a warning."""
        total = self.by_key_set[step.key_set]
        sendable, illegal = self.sendable[step.key_set], self.illegal[step.key_set]
        return any(
            illegal[header.entry] or (header.required and sendable[header.entry] < total)
            for header in step.metadata_headers
        ) or any(self.comparable[step.key_set][name] < total for name in _matched(step))


def resolve_keys(
    requests: Iterable[KeySetRequest], scope: Scope, *, closed: Iterable[KeySetRequest] = ()
) -> ResolvedKeys:
    """All credentials of all requested sets, sorted, with what is wrong with the Secrets behind them.

    ``closed``: what policies ask for that are not served (``closed_requests``). It opens nothing, and keeps their
    Secrets from being called unused.
    """
    index = scope.secrets
    assert isinstance(index, SecretIndex)
    credentials: list[Credential] = []
    usable: dict[str, int] = {}
    by_set: dict[str, tuple[Problem, ...]] = {}
    selected: set[ObjectRef] = set()
    sendable: dict[str, Counter[str]] = {}
    illegal: dict[str, Counter[str]] = {}
    comparable: dict[str, Counter[str]] = {}
    for request in sorted(set(requests)):
        resolved = _resolve(request, index=index, scope=scope)
        credentials += resolved.credentials
        usable[request.name] = len(resolved.credentials)
        by_set[request.name] = resolved.problems
        selected.update(resolved.selected)
        entries = [entry for credential in resolved.credentials for entry in credential.metadata]
        sendable[request.name] = Counter(entry.name for entry in entries if entry.legal_header)
        illegal[request.name] = Counter(entry.name for entry in entries if not entry.legal_header)
        comparable[request.name] = Counter(
            name for credential in resolved.credentials for name, entry in _folded(credential) if entry.legal_header
        )
    for request in closed:
        selected.update(request.refs)
        selected.update(stored.ref for stored in _labelled(request, index.selected))
    credentials.sort(key=lambda credential: (credential.key_set, credential.digest))
    present = (problem for problems in by_set.values() for problem in problems if problem.reason not in _ABSENT)
    unused = (key_warnings.unused(one.ref, scope.tenancy) for one in index.key_secrets() if one.ref not in selected)
    return ResolvedKeys(
        credentials=tuple(credentials),
        by_key_set=MappingProxyType(usable),
        problems=tuple(sorted({*present, *unused}, key=_problem_order)),
        problems_by_key_set=MappingProxyType(by_set),
        sendable=sendable,
        illegal=illegal,
        comparable=comparable,
    )


def key_problems(
    policy: ParsedObject[object], outcome: PolicyOutcome, keys: KeyOutcome, scope: Scope
) -> tuple[Problem, ...]:
    """What the reader of one policy's status should know about its keys; warnings all of them."""
    if outcome.plan is None:
        return ()
    problems: list[Problem] = []
    named = {request.name for request in outcome.key_sets if request.selector or request.refs}
    for number, step in enumerate(outcome.plan.steps):
        if isinstance(step, ApiKeyStep):
            field = ("spec", "config", "glooAuth", "configs", number, "apiKeyAuth")
            reader = _Reader(policy.ref, field, scope, selects=step.key_set in named)
            problems += reader.about(step, keys)
    return tuple(problems)


@dataclass(frozen=True, slots=True)
class _KeySet:
    credentials: list[Credential]
    problems: tuple[Problem, ...]
    selected: list[ObjectRef]


_ABSENT: Final = (Reason.REF_NOT_FOUND,)


def _resolve(request: KeySetRequest, *, index: SecretIndex, scope: Scope) -> _KeySet:
    """Join the Secrets of one set, oldest first."""
    name, limit = request.name, scope.settings.credential_bytes
    problems: list[Problem] = []
    holders: dict[str, StoredObject] = {}
    credentials: list[Credential] = []
    selected = _selected(request, index=index, problems=problems)
    for stored in selected:
        key = _key_of(stored, form=request.form, limit=limit, index=index, scope=scope)
        if isinstance(key, RefusedKey):
            problems.append(key_warnings.refused(stored.ref, key))
        elif key.allowed_hosts is None and stored.ref.namespace in request.bound_only:
            problems.append(key_warnings.unbound(stored.ref))
        elif key.digest in holders:
            problems.append(key_warnings.duplicate(stored.ref, holders[key.digest].ref, scope.tenancy))
        else:
            holders[key.digest] = stored
            credentials.append(
                Credential(
                    key_set=name,
                    digest=key.digest,
                    namespace=stored.ref.namespace,
                    name=stored.ref.name,
                    expires_at=key.expires_at,
                    allowed_hosts=key.allowed_hosts,
                    metadata=key.metadata,
                )
            )
    return _KeySet(credentials, tuple(problems), [stored.ref for stored in selected])


def _key_of(
    stored: StoredObject, *, form: KeyForm, limit: int, index: SecretIndex, scope: Scope
) -> UsableKey | RefusedKey:
    def make() -> UsableKey | RefusedKey:
        return read_key(index.decoded(stored), form=form, limit=limit)

    return scope.memo.of(stored, f"key {form}", make)


def _selected(request: KeySetRequest, *, index: SecretIndex, problems: list[Problem]) -> list[StoredObject]:
    """The Secrets of a set, oldest first; what an explicit reference misses is added to ``problems``."""
    found = {stored.ref: stored for stored in _labelled(request, index.selected)}
    mistyped = {stored.ref: index.decoded(stored).type for stored in _labelled(request, index.mistyped)}
    for ref in request.refs:
        secret = index.find(ref.namespace, ref.name)
        if secret is None:
            problems.append(key_warnings.missing(ref))
        elif secret.type != KEY_SECRET_TYPE:
            mistyped[ref] = secret.type
        else:
            found[ref] = secret.stored
    problems += [key_warnings.mistyped(ref, kind) for ref, kind in sorted(mistyped.items())]
    return sorted(found.values(), key=lambda stored: stored.age_key)


def _labelled(request: KeySetRequest, select: _Select) -> list[StoredObject]:
    """The Secrets that the selector finds where the set may look; an empty selector finds none."""
    if not request.selector:
        return []
    allowed = None if request.scope is None else frozenset(request.scope)
    return [one for one in select(request.selector) if allowed is None or one.ref.namespace in allowed]


def _problem_order(problem: Problem) -> tuple[str, ObjectRef, str]:
    return (problem.reason, problem.ref, problem.message)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Speaks to whoever reads the status of ``policy`` about the step at ``field``.

    ``selects``: the step has a selector or references, whether they find anything or not.
    """

    policy: ObjectRef
    field: FieldPath
    scope: Scope
    selects: bool

    def about(self, step: ApiKeyStep, keys: KeyOutcome) -> Iterator[Problem]:
        named = [p for p in keys.problems_by_key_set.get(step.key_set, ()) if self._may_name(p.ref)]
        yield from self._list([(problem.reason, problem.message) for problem in named])
        if not keys.by_key_set.get(step.key_set):
            remedy = (
                f"Create a Secret of type {KEY_SECRET_TYPE} that it selects{self._where}."
                if self.selects
                else "It names no Secrets at all: add a labelSelector or apiKeySecretRefs."
            )
            message = f"{self.policy} has no usable key: every request to its routes is refused. {remedy}"
            yield self._warning(Reason.NO_KEYS, message)
            return
        if not isinstance(keys, ResolvedKeys) or keys.may_lack(step):
            yield from self._list(list(self._lacking(step, keys)))

    def _lacking(self, step: ApiKeyStep, keys: KeyOutcome) -> Iterator[tuple[Reason, str]]:
        for credential in _of_set(step.key_set, keys):
            ref = ObjectRef("Secret", credential.namespace, credential.name)
            if not self._may_name(ref):
                continue
            entries = {entry.name: entry for entry in credential.metadata}
            for header in step.metadata_headers:
                complaint = _complaint(header, entries.get(header.entry), validated=not step.skip_metadata_validation)
                if complaint:
                    yield Reason.BAD_SECRET, f"{ref} {complaint}"
            comparable = dict(_folded(credential))
            for name in _matched(step):
                complaint = _match_complaint(name, comparable.get(name))
                if complaint:
                    yield Reason.BAD_SECRET, f"{ref} {complaint}"

    @property
    def _where(self) -> str:
        return " in its own namespace: tenancy is isolated" if self.scope.tenancy.isolated else ""

    def _may_name(self, secret: ObjectRef) -> bool:
        return not self.scope.tenancy.isolated or secret.namespace == self.policy.namespace

    def _list(self, complaints: list[tuple[Reason, str]]) -> Iterator[Problem]:
        for reason, message in complaints[:_NAMED_AT_MOST]:
            yield self._warning(reason, message)
        more = complaints[_NAMED_AT_MOST:]
        if more:
            message = f"{len(more)} further Secrets of {self.policy} have such faults. `wardgate check` names them all."
            yield self._warning(more[0][0], message)

    def _warning(self, reason: Reason, message: str) -> Problem:
        return Problem(ProblemKind.WARNING, reason, message, self.policy, self.field)


def _complaint(header: MetadataHeader, entry: MetadataEntry | None, *, validated: bool) -> str:
    """What keeps a header from being set from one Secret; empty if nothing that deserves a word."""
    effect = "its key is refused" if header.required else f'header "{header.header}" is not sent with its key'
    if entry is None:
        return f'has no entry "{header.entry}", so {effect}. Add the entry.' if header.required else ""
    if not entry.legal_header and (validated or not _UNFRAMED.isdisjoint(entry.value.reveal())):
        return f'has an entry "{header.entry}" that no header can carry, so {effect}. {_MAKE_IT_TEXT}'
    return ""


def _match_complaint(name: str, entry: MetadataEntry | None) -> str:
    """What keeps a header from ever being equal to the entry of its name; empty if nothing does."""
    if entry is None:
        return f'has no entry "{name}" to compare with the header in "match", so its key is refused. Add the entry.'
    if not entry.legal_header:
        return f'has an entry "{entry.name}" that no header can carry, so "match" refuses its key. {_MAKE_IT_TEXT}'
    return ""


def _matched(step: ApiKeyStep) -> tuple[str, ...]:
    """The headers that ``match`` compares, in lower case."""
    return step.stored.match_headers if isinstance(step.stored, Digest) else ()


def _folded(credential: Credential) -> Iterable[tuple[str, MetadataEntry]]:
    """The entries, sorted as they are, under names in lower case; of two that differ in case only, the last counts."""
    return {entry.name.lower(): entry for entry in credential.metadata}.items()


def _of_set(key_set: str, keys: KeyOutcome) -> Iterator[Credential]:
    """The credentials of one set; they lie together, because all are sorted by it."""
    first = bisect_left(keys.credentials, key_set, key=lambda credential: credential.key_set)
    return takewhile(lambda credential: credential.key_set == key_set, islice(keys.credentials, first, None))
