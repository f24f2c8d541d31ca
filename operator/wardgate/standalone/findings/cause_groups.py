"""One finding for each cause: what follows from another finding, or says the same of another object, is told with it.

Rule 1: a diagnostic whose cause is told goes with what is told there: the worst at that field of that object.
Rule 2: those whose common cause is not told (it does not exist, or it is a field that many objects have) go with the
first of them that has the same reason, the worst before the others.
Rule 3: nothing goes with what weighs less, so no error is hidden below a warning; and nothing without a cause goes with
anything.
Rule 4: the order in which diagnostics come in decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wardgate.problems import Cause, FieldPath, Reason
from wardgate.standalone.findings.diagnostics import SEVERITIES, Diagnostic


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic with the path of its field, and with its cause if that lies elsewhere."""

    diagnostic: Diagnostic
    field: FieldPath = ()
    cause: Cause | None = None

    @property
    def weight(self) -> tuple[int, tuple[str, int, int, str, str]]:
        """Sorts the worst first, and equally bad diagnostics by file and line."""
        return (self.severity, self.diagnostic.order)

    @property
    def severity(self) -> int:
        """0 is the worst."""
        return SEVERITIES.index(self.diagnostic.severity)


def grouped_by_cause(told: Iterable[Finding]) -> tuple[Diagnostic, ...]:
    """Return all findings by file and line, each with those that go with it."""
    ranked = sorted(told, key=lambda one: one.weight)
    leaders = _leaders(ranked)
    followers: dict[int, list[int]] = {}
    for number in range(len(ranked)):
        head = _head(number, leaders)
        followers.setdefault(head, [])
        if head != number:
            followers[head].append(number)
    found = [_with(ranked[head], [ranked[number] for number in numbers]) for head, numbers in followers.items()]
    return tuple(sorted(found, key=lambda one: one.order))


def _leaders(ranked: Sequence[Finding]) -> Mapping[int, int]:
    """For each finding that goes with another one, the number of that other one."""
    by_object: dict[str, list[int]] = {}
    first_of: dict[tuple[Cause, Reason], int] = {}
    for number, one in enumerate(ranked):
        by_object.setdefault(one.diagnostic.object, []).append(number)
        if one.cause is not None:
            first_of.setdefault((one.cause, one.diagnostic.reason), number)
    found: dict[int, int] = {}
    for number, one in enumerate(ranked):
        if one.cause is not None:
            candidates = by_object.get(str(one.cause.subject), ())
            told = (other for other in candidates if other != number and _explains(ranked[other], one, cause=one.cause))
            found[number] = next(told, first_of[one.cause, one.diagnostic.reason])
    return {number: leader for number, leader in found.items() if leader != number}


def _explains(one: Finding, consequence: Finding, *, cause: Cause) -> bool:
    if one.severity > consequence.severity:
        return False
    return one.field[: len(cause.field)] == cause.field


def _head(number: int, leaders: Mapping[int, int]) -> int:
    """The finding at the end of the chain; where findings lead to one another in a circle, the first of them."""
    chain = [number]
    while (leader := leaders.get(chain[-1])) is not None:
        if leader in chain:
            return min(chain[chain.index(leader) :])
        chain.append(leader)
    return chain[-1]


def _with(head: Finding, others: Iterable[Finding]) -> Diagnostic:
    alike: list[Diagnostic] = []
    consequences: list[Diagnostic] = []
    for one in others:
        same = one.cause is not None and one.cause == head.cause
        (alike if same else consequences).append(one.diagnostic)
    by_place = [tuple(sorted(part, key=lambda one: one.order)) for part in (alike, consequences)]
    return replace(head.diagnostic, alike=by_place[0], consequences=by_place[1])
