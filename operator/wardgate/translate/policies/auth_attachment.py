"""Decides for every route the ExtAuthPolicy that guards it, or that it is closed because its policy is bad.

Rule 1: one policy a route. The oldest wins; an INVALID one keeps its place; the losers are FAILED.
Rule 2: a bad policy with a last good form guards the routes that this form selects, and closes (500) those that only
its bad form selects. Without a last good form it closes all that its bad form selects; if the last good form has become
bad too, also the routes that this one selects.
Rule 3: an unreadable selector selects nothing by itself. The routes of the last good form stay guarded, and nothing
more can be known. Without a last good form nobody can tell which routes were meant, and every route that no policy
selects is closed; the same holds for an emptied selector, which may mean every route.
Rule 4: a policy without any selector guards every route to a Service, as Gloo says, and of the other routes that
forward those that no policy selects.
Rule 5: a lost policy (``lost_policies``) closes as a bad one does; nobody is told to have lost a route to it.
Rule 6: where ``requireAuth`` or the route's label demands a policy, a route without one is closed (401).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wardgate.ir import Refuse
from wardgate.problems import ObjectRef, Reason
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.policies.lost_policies import POLICY_LOST
from wardgate.translate.reading.last_good import ServedObject
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.idle_policies import IdlePolicies
from wardgate.translate.selection.missed_kinds import report_missed_kinds
from wardgate.translate.selection.policy_selectors import Selectors, read_selectors, report_unreadable
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tenancy import Tenancy

POLICY_INVALID = Refuse(500, "policy_invalid")
AUTH_REQUIRED = Refuse(401, "auth_required")


@dataclass(slots=True)
class AuthAttachment:
    """``plans`` and ``closed`` by the route's number; ``selected`` the numbers of each policy, losers included.

    ``owners``: the policy that a route belongs to. ``lost``: those of the policies that went away with their kind.
    """

    plans: dict[int, str] = field(default_factory=dict)
    closed: dict[int, Refuse] = field(default_factory=dict)
    selected: dict[ObjectRef, set[int]] = field(default_factory=dict)
    owners: dict[int, ObjectRef] = field(default_factory=dict)
    lost: set[ObjectRef] = field(default_factory=set)


def attach_auth(
    policies: Sequence[ServedObject[PolicyOutcome]],
    instances: Sequence[RouteInstance],
    *,
    finder: RouteFinder,
    tenancy: Tenancy,
    findings: Findings,
    idle: IdlePolicies,
    require_auth: bool,
) -> AuthAttachment:
    """Decide for every route, by the rules above."""
    attachment = AuthAttachment(lost={one.ref for one in policies if one.stored.is_lost})
    by_age = sorted(policies, key=lambda one: (tenancy.age_rank(one.ref.namespace), one.stored.age_key))
    for policy in by_age:
        _attach(policy, attachment, instances=instances, finder=finder, tenancy=tenancy, findings=findings)
    for policy in by_age:
        # A second pass: the rest is known only after every policy has the routes that it selects.
        _take_the_rest(policy, attachment, finder=finder, tenancy=tenancy)
        if policy.is_current and not attachment.selected[policy.ref]:
            effect = "" if require_auth else ", so it guards nothing: routes meant for it are open"
            _report_idle(policy, idle, effect=effect, within=tenancy.selectable(policy.ref.namespace))
    for number, instance in enumerate(instances):
        if number not in attachment.owners and (require_auth or instance.requires_auth):
            attachment.closed[number] = AUTH_REQUIRED
    return attachment


def _report_idle(policy: ServedObject[PolicyOutcome], idle: IdlePolicies, *, effect: str, within: str | None) -> None:
    selectors = read_selectors(policy.stored.manifest)

    def would(finder: RouteFinder) -> set[int]:
        return finder.forwarding(within=within) if selectors.is_empty else _selected(selectors, finder, within=within)

    idle.report(policy.ref, selectors, select=would, effect=effect)


def _attach(
    policy: ServedObject[PolicyOutcome],
    attachment: AuthAttachment,
    *,
    instances: Sequence[RouteInstance],
    finder: RouteFinder,
    tenancy: Tenancy,
    findings: Findings,
) -> None:
    within = tenancy.selectable(policy.ref.namespace)
    guarded: set[int] = set()
    if policy.form is not None:
        selectors = read_selectors(policy.form.manifest)
        guarded = _selected(selectors, finder, within=within)
        report_missed_kinds(policy.ref, selectors, finder=finder, within=within, findings=findings)
    applied = guarded
    if not policy.is_current:
        applied = guarded | _closed(policy, finder, within=within)
        report_unreadable(policy.ref, policy.stored, findings=findings, cost=_cost_of_unknown(policy))
    attachment.selected[policy.ref] = applied
    lost: dict[ObjectRef, list[int]] = {}
    for number in sorted(applied):
        owner = attachment.owners.setdefault(number, policy.ref)
        if owner != policy.ref:
            lost.setdefault(owner, []).append(number)
        else:
            _decide(number, policy, attachment=attachment, guarded=number in guarded)
    for owner, numbers in lost.items():
        if not attachment.lost & {owner, policy.ref}:
            _report_loss(policy.ref, owner, routes=[instances[number] for number in numbers], findings=findings)


def _take_the_rest(
    policy: ServedObject[PolicyOutcome], attachment: AuthAttachment, *, finder: RouteFinder, tenancy: Tenancy
) -> None:
    """Apply rules 3 and 4, after every policy has the routes that it selects."""
    within = tenancy.selectable(policy.ref.namespace)
    rest: set[int] = set()
    forms = (policy.form,) if policy.form is not None else (policy.stored, policy.past)
    for selectors in (read_selectors(form.manifest) for form in forms if form is not None):
        if selectors.is_empty:
            rest |= finder.forwarding(within=within)
        elif selectors.emptied or selectors.unreadable:
            rest |= finder.everything(within=within)
    for number in rest - attachment.owners.keys():
        attachment.owners[number] = policy.ref
        attachment.selected[policy.ref].add(number)
        _decide(number, policy, attachment=attachment, guarded=policy.form is not None)


def _decide(number: int, policy: ServedObject[PolicyOutcome], *, attachment: AuthAttachment, guarded: bool) -> None:
    """The effect of a policy on a route that is its own."""
    if guarded and policy.value is not None and policy.value.plan is not None:
        attachment.plans[number] = policy.value.plan.name
    else:
        attachment.closed[number] = POLICY_LOST if policy.ref in attachment.lost else POLICY_INVALID


def _cost_of_unknown(policy: ServedObject[PolicyOutcome]) -> str:
    if policy.form is None:
        return ", so every route that no other ExtAuthPolicy guards is closed"
    return "; its last good form guards what it did"


def _closed(policy: ServedObject[PolicyOutcome], finder: RouteFinder, *, within: str | None) -> set[int]:
    """The routes that the bad form selects, and those of the last good form if that is bad by now."""
    closed = _selected(read_selectors(policy.stored.manifest), finder, within=within)
    if policy.past is not None:
        closed |= _selected(read_selectors(policy.past.manifest), finder, within=within)
    return closed


def _selected(selectors: Selectors, finder: RouteFinder, *, within: str | None) -> set[int]:
    if selectors.is_empty:
        return finder.to_services(within=within)
    return finder.by_policy(selectors, within=within, restricts=True)


def _report_loss(loser: ObjectRef, winner: ObjectRef, *, routes: Sequence[RouteInstance], findings: Findings) -> None:
    first = routes[0]
    more = len({route.origin for route in routes}) - 1
    others = f" and {more} more" if more else ""
    findings.conflict(
        loser,
        Reason.CONFLICTED,
        message=(
            f"{loser} is ignored on route {first.name} of {first.table}{others}: {winner} comes first there, and a "
            "route has one ExtAuthPolicy. Narrow the selector of one of the two."
        ),
        field=("spec", "applyToRoutes"),
    )
