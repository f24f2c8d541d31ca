"""A problem as a person or a CI job is told of it: with the file, line and column where to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from wardgate.problems import Problem, ProblemKind, Reason, format_path
from wardgate.standalone.yaml.position import Position

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The worst first."""
_SEVERITY_OF: Final[dict[ProblemKind, Severity]] = {
    ProblemKind.ERROR: "error",
    ProblemKind.CONFLICT: "error",
    ProblemKind.WARNING: "warning",
    ProblemKind.NOTE: "note",
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """``file`` is empty and ``line`` 0 where a problem has no place; ``object`` and ``field`` are empty likewise.

    An error means that something is not served as written. A note costs nothing and asks for nothing. ``alike`` is the
    same about other objects or fields, ``consequences`` what follows from this one: told with it, and not by itself.
    """

    severity: Severity
    file: str
    line: int
    column: int
    object: str
    field: str
    reason: Reason
    message: str
    remedy: str = ""
    alike: tuple[Diagnostic, ...] = ()
    consequences: tuple[Diagnostic, ...] = ()

    @property
    def order(self) -> tuple[str, int, int, str, str]:
        """Sorts by file and line, as a reader walks through the files."""
        return (self.file, self.line, self.column, self.object, self.message)

    @property
    def place(self) -> str:
        """``file:line:column``, which editors and terminals turn into a link."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        about = ": ".join(part for part in (self.object, self.field) if part and part not in self.message)
        text = " ".join(
            part if part.endswith((".", "?")) else f"{part}." for part in (self.message, self.remedy) if part
        )
        line = ": ".join(part for part in (self.place, self.severity, about, text) if part)
        # Trouble of the gateway itself has neither file nor object, and no page that explains it.
        code = f" [{self.reason}]" if self.file or self.object else ""
        return f"{line}{code}{self._folded}"

    @property
    def _folded(self) -> str:
        """The number of diagnostics that are told with this one, in words."""
        objects = len({one.object for one in (self, *self.alike)})
        times = len(self.alike) + 1
        told = [f"on {objects} objects" if objects > 1 else f"{times} times" if times > 1 else ""]
        if self.consequences:
            told.append(f"and {plural(len(self.consequences), 'consequence')}")
        text = " ".join(part for part in told if part)
        return f" ... {text}" if text else ""


def plural(count: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def from_problem(problem: Problem, locate: Callable[[Problem], tuple[str, Position] | None]) -> Diagnostic:
    """``locate`` finds the file and the place of the problem's field, or of the nearest field around it."""
    found = locate(problem)
    file, place = found if found is not None else ("", Position(0, 0))
    return Diagnostic(
        severity=_SEVERITY_OF[problem.kind],
        file=file,
        line=place.line,
        column=place.column,
        object=str(problem.ref),
        field=format_path(problem.field),
        reason=problem.reason,
        message=problem.message,
    )
