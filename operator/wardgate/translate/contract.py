"""The types that cross between the rooms of ``translate``: parsed objects going in, outcomes coming out.

The pipeline (``pipeline``) owns the order of events. The policy modules (``policies.extauth``,
``policies.transformations``, ``keys.resolution``) turn one policy, or all key sets, into the neutral model, and know
neither routes nor other policies:

``policies.extauth.translate_ext_auth(policy, scope) -> PolicyOutcome``
    One ExtAuthPolicy whose model is present. It knows no selectors, conflicts or last good forms: an outcome with an
    error makes the reader ask again with the last good manifest (``reading.last_good``).
``policies.transformations.translate_transformation(policy, scope) -> TransformationOutcome``
    The same for one TransformationPolicy.
``keys.resolution.resolve_keys(requests, index, rules=..., last=...) -> KeySets``
    Called once per translation, with the key sets of every policy that is *served*, last good forms included.
``keys.key_problems.key_problems(policy, outcome, keys, rules, tokens) -> tuple[Problem, ...]``
    Warnings of one policy about its keys: none usable, a bad or duplicate Secret, required metadata missing.
``secrets.secret_index.NamedSecrets(index)``
    Implements ``SecretLookup``. Each object gets one of its own, which records the Secrets that its reader asked for.

Rule 1: nothing here raises on user input. A mistake is a ``Problem`` in the outcome. Its ``ref`` is the object that the
reader of the message has to change.
Rule 2: an outcome with a problem of kind ERROR is INVALID. Its plan is not served, so it may be None.
Rule 3: an outcome depends on the policy, the settings, and the Secrets that it asked ``scope.secrets`` for. A costly
result that needs the object alone is remembered through ``scope.versions``.
Rule 4: the pipeline reports ``ParsedObject.problems`` (unknown fields, schema errors). An outcome does not repeat them.
Rule 5: a name in the neutral model is the ``namespace/name`` of the object that it comes from (``plan_name``).
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
    """One version of one object with its model. An unreadable manifest has no ParsedObject.

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
        """The namespace of a reference that names none."""
        return self.stored.ref.namespace


def plan_name(ref: ObjectRef) -> str:
    """The name of an object's plan in the neutral model: unique within its kind."""
    return f"{ref.namespace}/{ref.name}"


def has_error(problems: tuple[Problem, ...]) -> bool:
    """Whether these problems make an object INVALID."""
    return any(problem.kind is ProblemKind.ERROR for problem in problems)


class KeyForm(StrEnum):
    """The content of the ``api-key`` entry of a key's Secret."""

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
    """All that a policy function may look at beside the policy itself."""

    settings: Settings
    tenancy: Tenancy
    secrets: SecretLookup
    versions: Versions


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """The result of reading one ExtAuthPolicy. The steps of ``plan`` name ``key_sets``.

    ``server`` is the ExtAuthServer that the policy names, whether or not it exists.
    """

    plan: AuthPlan | None
    key_sets: tuple[KeySetRequest, ...] = ()
    problems: tuple[Problem, ...] = ()
    server: ObjectRef | None = None


@dataclass(frozen=True, slots=True)
class TransformationOutcome:
    """The result of reading one TransformationPolicy. Within a phase the lowest ``priority`` runs first.

    ``credentials_read``: the request headers, folded, whose values it prints into credentials for the provider.
    """

    plan: TransformationPlan | None
    priority: int = 0
    problems: tuple[Problem, ...] = ()
    credentials_read: frozenset[str] = frozenset()
