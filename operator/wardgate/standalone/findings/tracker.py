"""The difference between two readings of a folder: problems that have appeared, and problems that are gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from wardgate.problems import Reason
from wardgate.standalone.findings.diagnostics import Diagnostic

_Identity: TypeAlias = tuple[str, str, str, str, Reason, str]


@dataclass(frozen=True, slots=True)
class DiagnosticChanges:
    """Diagnostics that are new and those that are gone, each by place."""

    appeared: tuple[Diagnostic, ...]
    resolved: tuple[Diagnostic, ...]


class DiagnosticTracker:
    """A problem is the same one after its line has moved, or after its remedy has another wording.

    A warning or a note about an object that now has an error is not gone, only out of sight until the error is mended;
    and so is a problem that is told with another one, as long as it is.
    """

    def __init__(self) -> None:
        self._known: dict[_Identity, Diagnostic] = {}

    def update(self, diagnostics: Iterable[Diagnostic]) -> DiagnosticChanges:
        """Take all present problems; return the difference from the last time."""
        now = {_identity(one): one for one in diagnostics}
        broken = {one.object for one in now.values() if one.severity == "error" and one.object}
        gone = {key: one for key, one in self._known.items() if key not in now}
        told_along = {_identity(other) for one in now.values() for other in (*one.alike, *one.consequences)}
        hidden = {
            key: one
            for key, one in gone.items()
            if key in told_along or (one.severity != "error" and one.object in broken)
        }
        appeared = tuple(one for key, one in now.items() if key not in self._known)
        self._known = now | hidden
        return DiagnosticChanges(appeared, tuple(one for key, one in gone.items() if key not in hidden))


def _identity(one: Diagnostic) -> _Identity:
    return (one.severity, one.file, one.object, one.field, one.reason, one.message)
