"""What crosses between the parts of ``translate``: parsed objects going in, outcomes coming out.

The pipeline (``pipeline``) owns the order of events, policy selection, last good forms, conflicts and statuses. The
policy modules (``extauth``, ``keys``, ``transformations``) turn one policy, or all key sets, into the neutral model,
and know neither routes nor other policies. The functions that cross are:

``extauth.translate_ext_auth(policy, scope) -> PolicyOutcome``
    One ExtAuthPolicy whose model is present. No selectors, no conflicts, no last good form: the pipeline asks again
    with the last good manifest if the outcome has an error.
``transformations.translate_transformation(policy, scope) -> TransformationOutcome``
    The same for one TransformationPolicy.
``keys.resolve_keys(requests, index, rules=..., last=...) -> KeySets``
    Once per translation, with the key sets of every policy that is *served* (last good forms included).
``key_problems.key_problems(policy, outcome, keys, tenancy) -> tuple[Problem, ...]``
    Warnings of one policy about its keys: none usable, a bad or duplicate Secret, required metadata missing.
``secret_index.NamedSecrets(index)``
    Implements ``SecretLookup`` below; made for each object that is read, because what it asks for is recorded.

Rule 1: nothing here raises on user input. A mistake is a ``Problem`` in the outcome whose ``ref`` is the object that
has to be changed by the reader of the message.
Rule 2: an outcome with a problem of kind ERROR counts as INVALID; its plan is not served, so it may be None.
Rule 3: what an outcome depends on is the policy, the settings, and the Secrets that it asked ``scope.secrets`` for.
What costs and needs the object alone goes through ``scope.versions``.
Rule 4: ``ParsedObject.problems`` (unknown fields, schema errors) are reported by the pipeline; an outcome does not
repeat them.
Rule 5: names in the neutral model are ``namespace/name`` of the object they come from (``plan_name``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from wardgate.ir import AuthPlan, TransformationPlan
from wardgate.problems import ObjectRef, Problem, ProblemKind
from wardgate.sensitive import Sensitive
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.incremental.memo import Versions
from wardgate.translate.tenancy import Tenancy

ModelT_co = TypeVar("ModelT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class ParsedObject(Generic[ModelT_co]):
    """One version of one object with its model. Whoever holds one with an unreadable manifest holds None instead.

    ``problems`` are those of parsing; with a model present they are warnings.
    """

    stored: StoredObject
    model: ModelT_co
    problems: tuple[Problem, ...] = ()

    @property
    def ref(self) -> ObjectRef:
        """The object, for messages and names."""
        return self.stored.ref

    @property
    def namespace(self) -> str:
        """What a reference without a namespace means."""
        return self.stored.ref.namespace


def plan_name(ref: ObjectRef) -> str:
    """The name of what one object became in the neutral model: unique within its kind."""
    return f"{ref.namespace}/{ref.name}"


def has_error(problems: tuple[Problem, ...]) -> bool:
    """Whether these make an object INVALID."""
    return any(problem.kind is ProblemKind.ERROR for problem in problems)


class KeyForm(StrEnum):
    """What the ``api-key`` entry of a key's Secret holds."""

    PLAIN = "plain"
    """The key itself: its SHA-256 becomes the credential's digest."""
    SHA256 = "sha256"
    """The SHA-256 of the key (``digest``)."""
    HMAC_SHA256 = "hmac-sha256"
    """The HMAC of the key (``hmac``)."""


@dataclass(frozen=True, slots=True, order=True)
class KeySetRequest:
    """One set of keys that a policy step looks callers up in. Equal requests are one key set.

    ``selector`` is sorted; empty selects nothing. ``refs`` are sorted and already permitted by tenancy. ``scope`` is
    the sorted namespaces whose Secrets count (``Tenancy.key_scope``), None all of them. For a ``tenant``, Secrets of
    other namespaces count only if they are shared with it; that follows from the scope and so is no part of the name.
    """

    selector: tuple[tuple[str, str], ...] = ()
    refs: tuple[ObjectRef, ...] = ()
    scope: tuple[str, ...] | None = None
    tenant: str = ""
    form: KeyForm = KeyForm.PLAIN

    @property
    def name(self) -> str:
        """The canonical name: the same request has the same name in every policy and every translation.

        The scope is part of it: two tenants with the same selector have two key sets.
        """
        selector = ",".join(f"{key}={value}" for key, value in self.selector)
        refs = ",".join(f"{ref.namespace}/{ref.name}" for ref in self.refs)
        scope = "*" if self.scope is None else ",".join(self.scope)
        return f"{self.form}:{selector}|{refs}|{scope}"


class SecretContent(Protocol):
    """One Secret, its data decoded from base64."""

    @property
    def stored(self) -> StoredObject: ...

    @property
    def data(self) -> Mapping[str, Sensitive]:
        """Entry name to text. Entries that are not valid base64 or not UTF-8 are absent here and in ``unreadable``."""
        ...

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Names of entries that could not be decoded."""
        ...

    @property
    def annotations(self) -> Mapping[str, str]: ...


class SecretLookup(Protocol):
    """The Secrets of the snapshot."""

    def find(self, namespace: str, name: str) -> SecretContent | None:
        """The Secret of that name, of any type."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What every policy function may look at beside the policy itself."""

    settings: Settings
    tenancy: Tenancy
    secrets: SecretLookup
    versions: Versions


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What became of one ExtAuthPolicy. ``key_sets`` are those that the steps of ``plan`` name.

    ``server`` is the ExtAuthServer that it names, there or not.
    """

    plan: AuthPlan | None
    key_sets: tuple[KeySetRequest, ...] = ()
    problems: tuple[Problem, ...] = ()
    server: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class TransformationOutcome:
    """What became of one TransformationPolicy. ``priority``: lowest first within a phase."""

    plan: TransformationPlan | None
    priority: int = 0
    problems: tuple[Problem, ...] = ()
