"""All results of one translation, for verdicts and counts. Immutable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from wardgate.api import KINDS
from wardgate.ir import Credential
from wardgate.problems import ObjectRef, Problem
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.foreign.losses import Losses
from wardgate.translate.keys.idle_bindings import idle_bindings
from wardgate.translate.keys.key_problems import key_problems
from wardgate.translate.keys.resolution import KeySets
from wardgate.translate.keys.token_flow import Credentials, TokenFlow, token_flow
from wardgate.translate.keys.withheld_tokens import exposed_tokens, withheld_tokens
from wardgate.translate.policies.misspelt_labels import MisspeltLabels
from wardgate.translate.policies.unguarded_routes import closed_for_want_of_policy
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.reading.stray_annotations import Strays
from wardgate.translate.stages.attachment_stage import PolicyAttachment
from wardgate.translate.stages.config_stage import AssembledConfig
from wardgate.translate.stages.policy_stage import Policies
from wardgate.translate.stages.route_stage import Routing
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True)
class StageResults:
    """The values of all stages, and the inputs of the translation."""

    snapshot: ClusterSnapshot
    tenancy: Tenancy
    closes_guarded: bool
    last_good: LastGood
    strays: Sequence[Strays]
    routing: Routing
    policies: Policies
    attached: PolicyAttachment
    assembled: AssembledConfig
    keys: KeySets

    def judged(self) -> Iterator[StoredObject]:
        """All objects with a status and a last good form."""
        for kind in KINDS:
            yield from self.snapshot.of(kind)

    def is_invalid(self, ref: ObjectRef) -> bool:
        """Whether the object has an error."""
        return ref in self._invalid

    @cached_property
    def _invalid(self) -> frozenset[ObjectRef]:
        """The objects with an error. Only stages find errors; all further ``findings`` are warnings."""
        return frozenset[ObjectRef]().union(*(found.invalid() for found in self._of_stages))

    @cached_property
    def served_instead(self) -> Mapping[ObjectRef, StoredObject]:
        """Objects whose last good form is served."""
        return {**self.routing.served_instead, **self.policies.served_instead}

    @cached_property
    def findings(self) -> Findings:
        """All problems of objects, other than those that ``keys`` finds in Secrets."""
        findings = Findings.merged(self._of_stages)
        findings.extend(self._unguarded())
        findings.extend(self._token_flow.problems)
        findings.extend(self._key_problems())
        findings.extend(self._idle_bindings())
        findings.extend(self._withheld_tokens())
        findings.extend(self._losses())
        for strays in self.strays:
            for problems in strays.problems.values():
                findings.extend(problems)
        return findings

    def tokens_of(self, outcome: PolicyOutcome) -> Credentials:
        """The headers of a policy that transformations make credentials of."""
        return {} if outcome.plan is None else self._token_flow.credentials.get(outcome.plan.name, {})

    @cached_property
    def _token_flow(self) -> TokenFlow:
        """The way of tokens on all guarded routes; different routes seldom have different policies."""
        chains, plans = self.attached.transformations.plans, self.attached.auth.plans
        pairs = sorted({(name, chains.get(number, ())) for number, name in plans.items()})
        auth = {plan.name: plan for one in self.policies.auth if one.value is not None and (plan := one.value.plan)}
        made = {
            one.value.plan.name: (one.ref, one.value)
            for one in self.policies.transformations
            if one.value is not None and one.value.plan is not None
        }
        return token_flow([(auth[name], chain) for name, chain in pairs], made)

    @property
    def _of_stages(self) -> tuple[Findings, ...]:
        return (self.routing.findings, self.policies.findings, self.attached.findings)

    def _key_problems(self) -> Iterator[Problem]:
        for one in self.policies.auth:
            if one.form is not None and one.value is not None:
                yield from key_problems(
                    one.ref, one.value, keys=self.keys, rules=self.keys.rules, tokens=self.tokens_of(one.value)
                )

    def _unguarded(self) -> Iterator[Problem]:
        instances, auth = self.routing.instances, self.attached.auth
        knows_policies = "ExtAuthPolicy" not in self.snapshot.absent_kinds
        yield from closed_for_want_of_policy(instances, auth, knows_policies=knows_policies)
        served = [one.form or one.stored for one in self.policies.auth]
        served += [one.form or one.stored for one in self.policies.transformations]
        yield from MisspeltLabels(served, tenancy=self.tenancy).problems(instances, auth)

    def _losses(self) -> Iterator[Problem]:
        losses = Losses(
            finder=self.routing.finder,
            instances=self.routing.instances,
            guards=self.attached.guards,
            tenancy=self.tenancy,
            closes=self.closes_guarded,
        )
        return losses.problems(self.snapshot)

    def _withheld_tokens(self) -> Iterator[Problem]:
        for one in self.policies.auth:
            plan = None if one.value is None else one.value.plan
            if plan is None:
                continue
            if tenants := self.assembled.guarded_tenants.get(plan.name):
                yield from withheld_tokens(one.ref, plan, tenants=tenants, keys_of=self._credentials)
            yield from exposed_tokens(one.ref, plan, keys_of=self._credentials)

    def _credentials(self, key_set: str) -> tuple[Credential, ...]:
        return self.keys.takers(key_set).joined

    def _idle_bindings(self) -> Iterator[Problem]:
        bound = (one for name in self.assembled.key_sets for one in self.keys.bound(name))
        return idle_bindings(bound, self.assembled.reached)
