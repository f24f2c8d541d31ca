"""A stored manifest turned into a model of the kind it is stored under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from wardgate.api import parse_object
from wardgate.problems import Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import ParsedObject, has_error

_ModelT = TypeVar("_ModelT")


def parse_stored(
    stored: StoredObject, model: type[_ModelT], *, manifest: Mapping[str, object] | None = None
) -> tuple[ParsedObject[_ModelT] | None, tuple[Problem, ...]]:
    """The model with its warnings, or None with the errors. ``manifest`` replaces the stored one."""
    if stored.is_damaged:
        message = f"{stored.ref} cannot be read. Correct the text that it stands in."
        return None, (Problem(ProblemKind.ERROR, Reason.UNREADABLE, message, stored.ref),)
    parsed = parse_object(stored.manifest if manifest is None else manifest)
    problems = tuple(replace(problem, ref=stored.ref) for problem in parsed.problems)
    if isinstance(parsed.model, model) and not has_error(problems):
        return ParsedObject(stored, parsed.model, problems), problems
    if not has_error(problems):
        message = f"{stored.ref} holds an object of another kind. Correct kind and apiVersion."
        problems = (*problems, Problem(ProblemKind.ERROR, Reason.UNKNOWN_KIND, message, stored.ref, ("kind",)))
    return None, problems
