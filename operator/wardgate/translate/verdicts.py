"""Every object judged: its problems, the form that is served of it, and its counts."""

from __future__ import annotations

from collections.abc import Iterator

from wardgate.problems import ObjectRef, Problem, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.consequences import consequences
from wardgate.translate.counts import all_counts
from wardgate.translate.evidence import Evidence
from wardgate.translate.forms import LastGood
from wardgate.translate.statuses import Counts, ObjectStatus, Statuses, judge


def judge_all(evidence: Evidence) -> Statuses:
    """The statuses of all objects, sorted, and all problems."""
    _note_frozen(evidence)
    counts = all_counts(evidence)
    stored = [one for kind in evidence.kinds for one in evidence.snapshot.of(kind)]
    objects = [_judge(one, evidence, counts.get(one.ref, {})) for one in stored]
    return Statuses(tuple(sorted(objects, key=lambda status: status.ref)), tuple(_each_once(evidence)))


def _each_once(evidence: Evidence) -> Iterator[Problem]:
    """All problems. What the status of a policy says again of its Secrets is left to the status."""
    secrets = evidence.keys.problems
    told = {(problem.reason, problem.message) for problem in secrets}
    yield from (one for one in evidence.findings.all() if (one.reason, one.message) not in told)
    yield from secrets


def next_last_good(evidence: Evidence) -> LastGood:
    """The newest accepted manifest of every object that is still there."""
    found: dict[ObjectRef, StoredObject] = {}
    for kind in evidence.kinds:
        for stored in evidence.snapshot.of(kind):
            held_back = evidence.findings.is_invalid(stored.ref) or stored.ref in evidence.routed.frozen
            good = evidence.last_good.get(stored.ref) if held_back else stored
            if good is not None and good.uid == stored.uid:
                found[stored.ref] = good
    return dict(sorted(found.items()))


def _judge(stored: StoredObject, evidence: Evidence, counts: Counts) -> ObjectStatus:
    problems = evidence.findings.of(stored.ref)
    form = _served_form(stored, evidence)
    note = " ".join(consequences(stored, form, evidence))
    return judge(stored, problems, form=form, note=note, counts=counts)


def _served_form(stored: StoredObject, evidence: Evidence) -> StoredObject | None:
    """The version that is served, be it in part; None where nothing of the object is."""
    ref = stored.ref
    if ref in evidence.routed.frozen:
        good = evidence.objects.tables.good.get(ref)
        return None if good is None else good.stored
    if ref in evidence.served_instead:
        return evidence.served_instead[ref]
    if not evidence.findings.is_invalid(ref):
        return stored
    return stored if ref in _served_in_part(evidence) else None


def _served_in_part(evidence: Evidence) -> set[ObjectRef]:
    """Objects of which the good part is served although the rest is not."""
    gateways = {one.ref for one in evidence.objects.gateways if one.value is not None and one.value.listeners}
    services = {one.ref for one in evidence.objects.services if one.value is not None and one.value.ports}
    return gateways | services | (set(evidence.objects.tables.now) & set(evidence.routed.gateways))


def _note_frozen(evidence: Evidence) -> None:
    """Tell those whose newer form is held back although it is good."""
    for ref, root in evidence.routed.frozen.items():
        if ref == root or evidence.findings.is_invalid(ref):
            continue
        message = (
            f"{ref} is held back, because {root} has failureMode FREEZE_CONFIG and something in its tree is bad. It "
            "goes live when all of the tree is good."
        )
        evidence.findings.warning(ref, Reason.NO_EFFECT, message)
