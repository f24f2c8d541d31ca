"""The verdict on every object of our kinds: the content of its status, before it is written anywhere.

Only facts that follow from the objects alone are here. The writer of statuses adds conditions, times and the versions
that proxies serve. The fields of ``counts`` carry the names of the status models in ``api.kinds.conditions``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from wardgate.api import Approval, ConditionReason
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.printable import printable
from wardgate.problems import ObjectRef, Problem, ProblemKind
from wardgate.snapshot import StoredObject

Count: TypeAlias = "int | str | Mapping[str, Count]"
Counts: TypeAlias = Mapping[str, Count]

_APPROVALS: Final = (
    (ProblemKind.ERROR, Approval.INVALID),
    (ProblemKind.CONFLICT, Approval.FAILED),
    (ProblemKind.WARNING, Approval.WARNING),
)
_ROOM_FOR_REST: Final = 80


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """One verdict on ``generation``. ``served_generation`` is None if nothing of the object is served.

    It differs from ``generation`` if the last good form is served. ``reason`` is one word for programs.
    """

    ref: ObjectRef
    uid: str
    generation: int
    approval: Approval
    reason: str
    message: str
    served_generation: int | None
    problems: tuple[Problem, ...] = ()
    counts: Counts = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Statuses:
    """Sorted by object. ``problems`` are all problems, each once, including those of Secrets, which have no status.

    A policy's status also names the faults of the Secrets that it selects. ``keys`` are the verdicts on faulty key
    Secrets, which Events tell.
    """

    objects: tuple[ObjectStatus, ...] = ()
    problems: tuple[Problem, ...] = ()
    keys: tuple[ObjectStatus, ...] = ()

    def __iter__(self) -> Iterator[ObjectStatus]:
        return iter(self.objects)

    def of(self, ref: ObjectRef) -> ObjectStatus | None:
        """The status of one object."""
        return next((status for status in self.objects if status.ref == ref), None)


def judge(
    stored: StoredObject, problems: tuple[Problem, ...], *, form: StoredObject | None, note: str, counts: Counts
) -> ObjectStatus:
    """The status of one object. ``form`` is the version that is served; ``note`` ends the message."""
    approval = next(
        (approval for kind, approval in _APPROVALS if any(problem.kind is kind for problem in problems)),
        Approval.ACCEPTED,
    )
    return ObjectStatus(
        ref=stored.ref,
        uid=stored.uid,
        generation=stored.generation,
        approval=approval,
        reason=_reason(approval, problems),
        message=_message((problem.message for problem in problems), note),
        served_generation=None if form is None else form.generation,
        problems=problems,
        counts=counts,
    )


def _reason(approval: Approval, problems: tuple[Problem, ...]) -> str:
    """The code of the first problem, which is the worst; notes ask for nothing."""
    return ConditionReason.ACCEPTED.value if approval is Approval.ACCEPTED else problems[0].reason.value


def _message(sentences: Iterable[str], note: str) -> str:
    """The sentences joined, the note last; sentences that do not fit are counted."""
    room = MAX_MESSAGE - _ROOM_FOR_REST - len(note)
    kept: list[str] = []
    left_out = 0
    for text in sentences:
        sentence = printable(text if text.endswith((".", "?", "!")) else f"{text}.")
        if len(sentence) < room:
            kept.append(sentence)
            room -= len(sentence) + 1
        else:
            left_out += 1
    if left_out:
        kept.append(f"{left_out} more problems are left out here.")
    return " ".join([*kept, note] if note else kept)
