"""Judges every object: its problems, the form of it that is served, and its counts."""

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
from wardgate.translate.statuses.key_verdicts import key_verdicts
from wardgate.translate.statuses.object_status import Counts, ObjectStatus, Statuses, judge
from wardgate.translate.statuses.severity import with_final_severity
from wardgate.translate.statuses.stage_results import StageResults


def judge_all(results: StageResults) -> Statuses:
    """The statuses of all objects, sorted, and all problems."""
    found = Findings.merged([results.findings, _frozen(results)])
    findings = with_final_severity(found, results.routing.routed.unserved.origins)
    counts = all_counts(results)
    objects = [
        _judge(one, results, problems=findings.of(one.ref), counts=counts.get(one.ref, {})) for one in results.judged()
    ]
    objects.sort(key=lambda status: (status.ref.kind, status.ref.namespace, status.ref.name))
    return Statuses(tuple(objects), tuple(_each_once(findings, results.keys.problems)), key_verdicts(results))


def _each_once(findings: Findings, of_secrets: Sequence[Problem]) -> Iterator[Problem]:
    """All problems, without those of Secrets that a policy's status repeats."""
    told = {(problem.reason, problem.message) for problem in of_secrets}
    yield from (one for one in findings.all() if (one.reason, one.message) not in told)
    yield from of_secrets


def next_last_good(results: StageResults) -> LastGood:
    """The newest accepted manifest of every existing object, the foreign guards and the lost policies.

    The same mapping if nothing has changed.
    """
    found: dict[ObjectRef, StoredObject] = {}
    for stored in results.judged():
        routed = results.routing.routed
        held_back = results.is_invalid(stored.ref) or stored.ref in routed.frozen or stored.ref in routed.unproven
        good = results.last_good.get(stored.ref) if held_back else stored
        if good is not None and good.uid == stored.uid:
            found[stored.ref] = good
    found.update((guard.ref, remembered(guard, results.last_good)) for guard in results.attached.guards.objects)
    found.update((policy.ref, policy) for policy in results.attached.lost)
    return unless_same(dict(sorted(found.items())), results.last_good)


def _judge(
    stored: StoredObject, results: StageResults, *, problems: tuple[Problem, ...], counts: Counts
) -> ObjectStatus:
    if results.is_invalid(stored.ref) and not has_error(problems):
        # Its errors lost their weight because no request reaches it: no route is closed, and no form replaces it.
        return judge(stored, problems, form=stored, note="", counts=counts)
    form = _served_form(stored, results)
    note = " ".join(consequences(stored, form, results=results))
    return judge(stored, problems, form=form, note=note, counts=counts)


def _served_form(stored: StoredObject, results: StageResults) -> StoredObject | None:
    """The version that is served, at least in part; None if nothing of the object is."""
    ref = stored.ref
    if ref in results.routing.routed.frozen:
        good = results.routing.tables.good.get(ref)
        return None if good is None else good.stored
    if ref in results.served_instead:
        return results.served_instead[ref]
    if not results.is_invalid(ref):
        return stored
    return stored if ref in _served_in_part(results) else None


def _served_in_part(results: StageResults) -> set[ObjectRef]:
    """Objects whose good part is served although the rest is not."""
    gateways = {one.ref for one in results.routing.gateways if one.value is not None and one.value.listeners}
    services = {one.ref for one in results.routing.services if one.value is not None and one.value.ports}
    return gateways | services | (set(results.routing.tables.now) & set(results.routing.routed.gateways))


def _frozen(results: StageResults) -> Findings:
    """The warnings of objects whose good newer form is held back."""
    findings = Findings()
    for ref, root in results.routing.routed.frozen.items():
        if ref == root or results.is_invalid(ref):
            continue
        message = (
            f"{ref} is held back, because {root} has failureMode FREEZE_CONFIG and something in its tree is bad. It "
            "goes live when all of the tree is good."
        )
        findings.warning(ref, Reason.HELD_BACK, message=message, cause=Cause(root))
    return findings
