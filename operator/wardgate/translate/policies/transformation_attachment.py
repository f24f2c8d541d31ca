"""Decides for every route the transformations that run on it, and their order.

All TransformationPolicies of a route apply: by phase, then priority (the lowest first), then age. A bad one without a
last good form closes the routes that it selects: a request that should have been rewritten must not leave unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from wardgate.ir import Refuse
from wardgate.problems import ObjectRef
from wardgate.translate.contract import TransformationOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.reading.last_good import ServedObject
from wardgate.translate.selection.idle_policies import IdlePolicies
from wardgate.translate.selection.missed_kinds import report_missed_kinds
from wardgate.translate.selection.policy_selectors import Selectors, read_selectors, report_unreadable
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tenancy import Tenancy

TRANSFORMATION_INVALID = Refuse(500, "transformation_invalid")
_PHASES = {"pre": 0, "post": 1}


@dataclass(slots=True)
class TransformationAttachment:
    """``plans``, in the order of execution, and ``closed`` by the route's number."""

    plans: dict[int, tuple[str, ...]] = field(default_factory=dict)
    closed: dict[int, Refuse] = field(default_factory=dict)
    selected: dict[ObjectRef, set[int]] = field(default_factory=dict)


def attach_transformations(
    policies: Sequence[ServedObject[TransformationOutcome]],
    *,
    finder: RouteFinder,
    tenancy: Tenancy,
    findings: Findings,
    idle: IdlePolicies,
) -> TransformationAttachment:
    """Decide for every route."""
    attachment = TransformationAttachment()
    for policy in sorted(policies, key=lambda one: _order(one, tenancy)):
        numbers = _selected(policy, finder, tenancy=tenancy)
        if policy.form is not None:
            selectors, within = read_selectors(policy.form.manifest), tenancy.selectable(policy.ref.namespace)
            report_missed_kinds(policy.ref, selectors, finder=finder, within=within, findings=findings)
        if not policy.is_current:
            report_unreadable(policy.ref, policy.stored, findings=findings, cost="; no route is closed for its sake")
        attachment.selected[policy.ref] = numbers
        if policy.form is None or policy.value is None or policy.value.plan is None:
            attachment.closed.update(dict.fromkeys(numbers, TRANSFORMATION_INVALID))
            continue
        for number in numbers:
            attachment.plans[number] = (*attachment.plans.get(number, ()), policy.value.plan.name)
        if not numbers and policy.is_current:
            selectors = read_selectors(policy.stored.manifest)
            idle.report(policy.ref, selectors, select=partial(_selected, policy, tenancy=tenancy))
    return attachment


def _order(policy: ServedObject[TransformationOutcome], tenancy: Tenancy) -> tuple[int, int, int, tuple[str, str, str]]:
    phase, priority = 0, 0
    if policy.value is not None and policy.value.plan is not None:
        phase, priority = _PHASES[policy.value.plan.phase], policy.value.priority
    return (phase, priority, tenancy.age_rank(policy.ref.namespace), policy.stored.age_key)


def _selected(policy: ServedObject[TransformationOutcome], finder: RouteFinder, *, tenancy: Tenancy) -> set[int]:
    """The routes that the served form selects; of a closed policy, those that any of its forms selects."""
    within = tenancy.selectable(policy.ref.namespace)
    forms = [policy.form] if policy.form is not None else [policy.stored, *([policy.past] if policy.past else [])]
    found: set[int] = set()
    for form in forms:
        selectors = read_selectors(form.manifest)
        found |= _by(selectors, finder, within=within, restricts=policy.form is None)
    return found


def _by(selectors: Selectors, finder: RouteFinder, *, within: str | None, restricts: bool) -> set[int]:
    if selectors.is_empty:
        return finder.everything(within=within)
    return finder.by_policy(selectors, within=within, restricts=restricts)
