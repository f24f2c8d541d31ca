"""Every object judged: its problems, the form that is served of it, and its counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wardgate.problems import Cause, ObjectRef, Problem, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import has_error
from wardgate.translate.findings import Findings
from wardgate.translate.foreign.guards import remembered
from wardgate.translate.reading.last_good import LastGood, unless_same
from wardgate.translate.statuses.consequences import consequences
from wardgate.translate.statuses.counts import all_counts
from wardgate.translate.statuses.object_status import Counts, ObjectStatus, Statuses, judge
from wardgate.translate.statuses.severity import weighed
from wardgate.translate.statuses.stage_results import Evidence


def judge_all(evidence: Evidence) -> Statuses:
    """The statuses of all objects, sorted, and all problems."""
    found = Findings.merged([evidence.findings, _frozen(evidence)])
    findings = weighed(found, evidence.routing.routed.unserved.origins)
    counts = all_counts(evidence)
    objects = [_judge(one, evidence, findings.of(one.ref), counts.get(one.ref, {})) for one in evidence.judged()]
    objects.sort(key=lambda status: (status.ref.kind, status.ref.namespace, status.ref.name))
    return Statuses(tuple(objects), tuple(_each_once(findings, evidence.keys.problems)))


def _each_once(findings: Findings, of_secrets: Sequence[Problem]) -> Iterator[Problem]:
    """All problems. What the status of a policy says again of its Secrets is left to the status."""
    told = {(problem.reason, problem.message) for problem in of_secrets}
    yield from (one for one in findings.all() if (one.reason, one.message) not in told)
    yield from of_secrets


def next_last_good(evidence: Evidence) -> LastGood:
    """The newest accepted manifest of every object that is still there, and the guards of other kinds.

    The same mapping where nothing has changed.
    """
    found: dict[ObjectRef, StoredObject] = {}
    for stored in evidence.judged():
        routed = evidence.routing.routed
        held_back = evidence.is_invalid(stored.ref) or stored.ref in routed.frozen or stored.ref in routed.unproven
        good = evidence.last_good.get(stored.ref) if held_back else stored
        if good is not None and good.uid == stored.uid:
            found[stored.ref] = good
    found.update((guard.ref, remembered(guard, evidence.last_good)) for guard in evidence.attached.guards.objects)
    return unless_same(dict(sorted(found.items())), evidence.last_good)


def _judge(stored: StoredObject, evidence: Evidence, problems: tuple[Problem, ...], counts: Counts) -> ObjectStatus:
    if evidence.is_invalid(stored.ref) and not has_error(problems):
        # Nothing of it would be served if it were good: no form stands in for it, and no route is closed.
        return judge(stored, problems, form=stored, note="", counts=counts)
    form = _served_form(stored, evidence)
    note = " ".join(consequences(stored, form, evidence))
    return judge(stored, problems, form=form, note=note, counts=counts)


def _served_form(stored: StoredObject, evidence: Evidence) -> StoredObject | None:
    """The version that is served, be it in part; None where nothing of the object is."""
    ref = stored.ref
    if ref in evidence.routing.routed.frozen:
        good = evidence.routing.tables.good.get(ref)
        return None if good is None else good.stored
    if ref in evidence.served_instead:
        return evidence.served_instead[ref]
    if not evidence.is_invalid(ref):
        return stored
    return stored if ref in _served_in_part(evidence) else None


def _served_in_part(evidence: Evidence) -> set[ObjectRef]:
    """Objects of which the good part is served although the rest is not."""
    gateways = {one.ref for one in evidence.routing.gateways if one.value is not None and one.value.listeners}
    services = {one.ref for one in evidence.routing.services if one.value is not None and one.value.ports}
    return gateways | services | (set(evidence.routing.tables.now) & set(evidence.routing.routed.gateways))


def _frozen(evidence: Evidence) -> Findings:
    """What those are told whose newer form is held back although it is good."""
    findings = Findings()
    for ref, root in evidence.routing.routed.frozen.items():
        if ref == root or evidence.is_invalid(ref):
            continue
        message = (
            f"{ref} is held back, because {root} has failureMode FREEZE_CONFIG and something in its tree is bad. It "
            "goes live when all of the tree is good."
        )
        findings.warning(ref, Reason.HELD_BACK, message, cause=Cause(root))
    return findings
