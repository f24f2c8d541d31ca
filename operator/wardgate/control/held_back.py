"""The verdicts while the config is too large: owners are told which of their objects are not in force, and why."""

from __future__ import annotations

from dataclasses import replace

from wardgate.api import Approval
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.control.size_limit import Excess
from wardgate.printable import printable
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import ObjectStatus, Statuses

_REMEDY = "Remove what is not needed, or raise config_bytes."


def held_back(statuses: Statuses, *, good: LastGood, accepted: LastGood, excess: Excess) -> Statuses:
    """The verdicts, with what is good but not in force INVALID.

    ``accepted``: the form of every object that was good when all of them were last published; ``good``: its newest good
    form, which is the accepted one where the object is bad now. Secrets have no status; their keys are a problem each.
    """
    problems = {ref: _problem(ref, excess) for ref in _changed(statuses, good=good, accepted=accepted)}
    refused = [_problem(ref, excess) for ref in excess.refused]
    return Statuses(
        objects=tuple(_judged(one, problems.get(one.ref), accepted=accepted.get(one.ref)) for one in statuses),
        problems=(*statuses.problems, *problems.values(), *refused),
        keys=statuses.keys,
    )


def _changed(statuses: Statuses, *, good: LastGood, accepted: LastGood) -> list[ObjectRef]:
    return [
        one.ref
        for one in statuses
        if (new := good.get(one.ref)) is not None and not _is_same(new, accepted.get(one.ref))
    ]


def _is_same(one: StoredObject, other: StoredObject | None) -> bool:
    return other is not None and (one.uid, one.manifest) == (other.uid, other.manifest)


def _problem(ref: ObjectRef, excess: Excess) -> Problem:
    becomes = "its keys are refused" if ref.kind == "Secret" else "it stays as it was last published, if it was"
    message = (
        f"{ref} waits: with all changes the config comes to {excess.size} bytes of at most {excess.limit}, and until "
        f"it fits {becomes}. {_REMEDY}"
    )
    return Problem(ProblemKind.ERROR, Reason.TOO_LARGE, message, ref)


def _judged(status: ObjectStatus, problem: Problem | None, *, accepted: StoredObject | None) -> ObjectStatus:
    if problem is None:
        return status
    problems = (problem, *status.problems)
    return replace(
        status,
        approval=Approval.INVALID,
        reason=problem.reason.value,
        message=printable(" ".join(one.message for one in problems))[:MAX_MESSAGE],
        served_generation=accepted.generation if accepted is not None and accepted.uid == status.uid else None,
        problems=problems,
    )
