"""The problems that one translation has found, collected by object.

The one mutable thing that the parts of the pipeline share. The same problem is kept once, however many routes meet it.
Problems come out sorted, so the order in which they are found decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason

_SEVERITY = {ProblemKind.ERROR: 0, ProblemKind.CONFLICT: 1, ProblemKind.WARNING: 2, ProblemKind.NOTE: 3}
_WEIGHT = {Reason.NO_ROUTES: 0, Reason.UNGUARDED: 0, Reason.NO_KEYS: 1, Reason.NO_EFFECT: 3, Reason.UNKNOWN_FIELD: 3}
"""Among problems of one severity: routes that may be open come first, what changes nothing comes last."""
_USUAL_WEIGHT = 2


class Findings:
    """Problems of one translation."""

    def __init__(self) -> None:
        self._by_ref: dict[ObjectRef, dict[Problem, None]] = {}

    @classmethod
    def merged(cls, parts: Iterable[Findings]) -> Findings:
        """All problems of several parts."""
        found = cls()
        for part in parts:
            part.add_to(found._by_ref)
        return found

    def add_to(self, by_ref: dict[ObjectRef, dict[Problem, None]]) -> None:
        """Add all problems to those of others, by object."""
        for ref, problems in self._by_ref.items():
            by_ref.setdefault(ref, {}).update(problems)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take problems unchanged."""
        for problem in problems:
            self._by_ref.setdefault(problem.ref, {})[problem] = None

    def error(
        self, ref: ObjectRef, reason: Reason, *, message: str, field: FieldPath = (), cause: Cause | None = None
    ) -> None:
        """``ref`` is INVALID."""
        self.extend((Problem(ProblemKind.ERROR, reason, message, ref, field, cause),))

    def conflict(self, ref: ObjectRef, reason: Reason, *, message: str, field: FieldPath = ()) -> None:
        """``ref`` is right but loses against an older object."""
        self.extend((Problem(ProblemKind.CONFLICT, reason, message, ref, field),))

    def warning(
        self, ref: ObjectRef, reason: Reason, *, message: str, field: FieldPath = (), cause: Cause | None = None
    ) -> None:
        """``ref`` is served, but something in it is without effect or surprising."""
        self.extend((Problem(ProblemKind.WARNING, reason, message, ref, field, cause),))

    def note(
        self, ref: ObjectRef, reason: Reason, *, message: str, field: FieldPath = (), cause: Cause | None = None
    ) -> None:
        """``ref`` is served as intended; the problem is information only."""
        self.extend((Problem(ProblemKind.NOTE, reason, message, ref, field, cause),))

    def found(self) -> Iterator[Problem]:
        """All problems, in no particular order."""
        return chain.from_iterable(self._by_ref.values())

    def revised(self, revise: Callable[[Problem], Problem]) -> Findings:
        """The same problems, each passed through ``revise``."""
        found = Findings()
        for problems in self._by_ref.values():
            found.extend(map(revise, problems))
        return found

    def of(self, ref: ObjectRef) -> tuple[Problem, ...]:
        """All problems of one object, the worst first."""
        return tuple(sorted(self._by_ref.get(ref, ()), key=_order))

    def is_invalid(self, ref: ObjectRef) -> bool:
        """Whether the object has an error."""
        return any(problem.kind is ProblemKind.ERROR for problem in self._by_ref.get(ref, ()))

    def invalid(self) -> Iterator[ObjectRef]:
        """The objects that have an error."""
        return filter(self.is_invalid, self._by_ref)

    def all(self) -> tuple[Problem, ...]:
        """All problems of all objects, by object."""
        refs = sorted(self._by_ref, key=lambda ref: (ref.kind, ref.namespace, ref.name))
        return tuple(problem for ref in refs for problem in self.of(ref))


def _order(problem: Problem) -> tuple[int, int, tuple[tuple[int, int | str], ...], str, str]:
    place = tuple((0, part) if isinstance(part, int) else (1, part) for part in problem.field)
    weight = _WEIGHT.get(problem.reason, _USUAL_WEIGHT)
    return (_SEVERITY[problem.kind], weight, place, problem.reason, problem.message)
