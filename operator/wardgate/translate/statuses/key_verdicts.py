"""Verdicts on key Secrets that are no keys, or useless ones. Secrets have no status: Events and reports tell these.

A Secret that is shared with nobody who selects it is as its owner meant it, and no fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Final

from wardgate.ir import ApiKeyStep
from wardgate.problems import ObjectRef, Problem, Reason
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.keys.key_problems import known_faults
from wardgate.translate.statuses.object_status import ObjectStatus, judge
from wardgate.translate.statuses.stage_results import StageResults

NAMED_AT_MOST: Final = 50
"""Faulty Secrets that one policy's status names; all are counted."""


def key_verdicts(results: StageResults) -> tuple[ObjectStatus, ...]:
    """The verdict on every faulty Secret, sorted."""
    findings = Findings()
    findings.extend(one for one in results.keys.problems if one.reason is not Reason.REF_NOT_PERMITTED)
    for told in _shortcomings(results):
        findings.extend(told)
    judged = []
    for ref in sorted({problem.ref for problem in findings.found()}):
        held = results.keys.index.get(ref)
        if held is not None:
            judged.append(judge(held.stored, findings.of(ref), form=held.stored, note="", counts={}))
    return tuple(judged)


def named_faults(policy: ObjectRef, outcome: PolicyOutcome, *, results: StageResults) -> Mapping[str, str]:
    """By name the faulty Secrets that a policy selects and its readers may know of, with the reason; the first ones."""
    rules, tokens = results.keys.rules, results.tokens_of(outcome)
    known = known_faults(policy, outcome, keys=results.keys, tenancy=rules.tenancy, tokens=tokens)
    faults = islice((one for one in known if one.reason is not Reason.NO_EFFECT), NAMED_AT_MOST)
    return dict(sorted((f"{one.ref.namespace}/{one.ref.name}", one.reason.value) for one in faults))


def _shortcomings(results: StageResults) -> list[tuple[Problem, ...]]:
    """The shortcomings of all keys; those that many policies share come once, as the tuple that is kept of them."""
    found: dict[int, tuple[Problem, ...]] = {}
    for one in results.policies.auth:
        outcome = None if one.form is None else one.value
        if outcome is None or outcome.plan is None:
            continue
        tokens = results.tokens_of(outcome)
        for step in outcome.plan.steps:
            if isinstance(step, ApiKeyStep):
                told = results.keys.shortcomings(step.key_set, step, tokens=tokens)
                found[id(told)] = told
    return list(found.values())
