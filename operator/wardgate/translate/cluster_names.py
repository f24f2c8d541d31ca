"""Where an object names a cluster or a workspace, which Gloo compares and this gateway mostly does not.

Clusters are compared where the installation has given its own name. Workspaces never are: one gateway is one workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pydantic import BaseModel

from wardgate.api import ApiModel
from wardgate.api.removal import removal
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.settings import Settings


def ignored_names(model: object, ref: ObjectRef, settings: Settings) -> tuple[Problem, ...]:
    """A note for every cluster that is not compared, a warning for every workspace."""
    found = []
    passed_over = {"workspace"} if settings.cluster_name is not None else {"cluster", "workspace"}
    for path, alone in _named(model, (), passed_over):
        kind, remedy = ProblemKind.WARNING, removal(path, alone=alone)
        if path[-1] == "cluster":
            kind = ProblemKind.NOTE
            remedy = f"name this cluster with the setting cluster_name to compare it, or {remedy}"
        message = f"{format_path(path)} of {ref} is not compared with anything; {remedy}."
        found.append(Problem(kind, Reason.NO_EFFECT, message, ref, path))
    return tuple(found)


def _named(value: object, path: FieldPath, wanted: Collection[str]) -> Iterator[tuple[FieldPath, bool]]:
    """The places of ``wanted`` fields, and whether nothing else is given beside them."""
    if isinstance(value, ApiModel):
        for name in type(value).model_fields:
            yield from _in_field(value, name, path, wanted)
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            yield from _named(entry, (*path, index), wanted)


def _in_field(
    model: BaseModel, name: str, path: FieldPath, wanted: Collection[str]
) -> Iterator[tuple[FieldPath, bool]]:
    value = getattr(model, name)
    alias = type(model).model_fields[name].alias or name
    if alias in wanted and isinstance(value, str) and value:
        yield (*path, alias), model.model_fields_set.issubset(wanted)
    elif isinstance(value, ApiModel | tuple):
        yield from _named(value, (*path, alias), wanted)
