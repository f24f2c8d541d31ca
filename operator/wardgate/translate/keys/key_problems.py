"""Warnings about keys for the reader of one policy's status.

A Secret has no status of its own: its faults are repeated to each policy that selects it. Under isolated tenancy nobody
is told of Secrets in other tenants' namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from wardgate.api.kinds.annotations import SHARE_WITH
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.ir import ApiKeyStep
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.key_set import KeySet
from wardgate.translate.keys.resolution import KeySets
from wardgate.translate.keys.token_flow import Credentials
from wardgate.translate.tenancy import Tenancy

_NAMED_AT_MOST: Final = 10
"""Secrets that one policy's status names for one step; the rest are counted."""


def key_problems(
    policy: ObjectRef, outcome: PolicyOutcome, *, keys: KeySets, rules: KeyRules, tokens: Credentials
) -> tuple[Problem, ...]:
    """The warnings of one policy; none where nothing of it is served. ``tokens``: as for ``shortcomings``."""
    if outcome.plan is None:
        return ()
    problems: list[Problem] = []
    for number, step in enumerate(outcome.plan.steps):
        if isinstance(step, ApiKeyStep):
            field = ("spec", "config", "glooAuth", "configs", number, "apiKeyAuth")
            problems += _StepWarnings(policy, field, rules, tokens).about(step, keys)
    return tuple(problems)


def known_faults(
    policy: ObjectRef, outcome: PolicyOutcome, *, keys: KeySets, tenancy: Tenancy, tokens: Credentials
) -> Iterator[Problem]:
    """The faults of the Secrets that a policy selects, as far as its readers may know of them."""
    for step in () if outcome.plan is None else outcome.plan.steps:
        if isinstance(step, ApiKeyStep):
            found = keys.of(step.key_set)
            of_sources = keys.takers(step.key_set).problems
            for problem in chain(found.faults, of_sources, keys.shortcomings(step.key_set, step, tokens=tokens)):
                if may_know(policy, problem, tenancy=tenancy):
                    yield problem


def may_know(policy: ObjectRef, of_secret: Problem, *, tenancy: Tenancy) -> bool:
    """Whether the readers of a policy's status may be told of a Secret."""
    return not tenancy.isolated or of_secret.ref.namespace == policy.namespace


@dataclass(frozen=True, slots=True)
class _StepWarnings:
    """Makes the warnings about the step at ``field``, for readers of the status of ``policy``."""

    policy: ObjectRef
    field: FieldPath
    rules: KeyRules
    tokens: Credentials

    def about(self, step: ApiKeyStep, sets: KeySets) -> Iterator[Problem]:
        keys, takers = sets.of(step.key_set), sets.takers(step.key_set)
        faults = self._may_know((*keys.problems, *takers.problems))
        yield from self._list(faults)
        if takers.joined:
            yield from self._list(self._may_know(sets.shortcomings(step.key_set, step, tokens=self.tokens)))
            return
        message = f"{self.policy} has no usable key: it lets no request through. {self._remedy(keys, faults)}"
        yield self._warning(Reason.NO_KEYS, message, because=faults)

    def _remedy(self, keys: KeySet, faults: Sequence[Problem]) -> str:
        if not (keys.request.selector or keys.request.refs):
            return "It names no Secrets at all: add a labelSelector or apiKeySecretRefs."
        if faults:
            return f"Mend one of the Secrets that it selects, or create another of type {KEY_SECRET_TYPE}{self._where}."
        labels = ", ".join(f"{name}={value}" for name, value in keys.request.selector)
        selected = f"labelled {labels}" if labels else "that it names"
        create = f"Create a Secret of type {KEY_SECRET_TYPE} {selected}{self._where}"
        return f"{create}; other types do not count.{self._unread}"

    @property
    def _where(self) -> str:
        if not self.rules.tenancy.isolated:
            return ""
        tenant = self.rules.tenancy.owner(self.policy.namespace)
        shared = f", or have the platform share one with {tenant} ({SHARE_WITH})" if tenant else ""
        return f", in its own namespace because tenancy is isolated{shared}"

    @property
    def _unread(self) -> str:
        """A key that is there may lie where nobody looks."""
        return f" {self.rules.sight.of_secrets}" if self.rules.sight.of_secrets else ""

    def _may_know(self, of_secrets: Sequence[Problem]) -> Sequence[Problem]:
        if not self.rules.tenancy.isolated:
            return of_secrets
        return [one for one in of_secrets if may_know(self.policy, one, tenancy=self.rules.tenancy)]

    def _list(self, told: Sequence[Problem]) -> Iterator[Problem]:
        """Warnings about Secrets: the first few, and a count of the others."""
        for problem in told[:_NAMED_AT_MOST]:
            yield self._warning(problem.reason, problem.message)
        more = told[_NAMED_AT_MOST:]
        if more:
            message = f"{len(more)} further Secrets of {self.policy} have such faults. `wardgate check` names them all."
            yield self._warning(more[0].reason, message, because=more)

    def _warning(self, reason: Reason, message: str, *, because: Sequence[Problem] = ()) -> Problem:
        cause = Cause(because[0].ref) if because else None
        return Problem(ProblemKind.WARNING, reason, message, self.policy, self.field, cause)
