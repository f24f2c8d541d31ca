"""Where an object names a cluster or a workspace, which Gloo compares and this gateway mostly does not.

Clusters are compared where the installation has given its own name. Workspaces never are: one gateway is one workspace.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from wardgate.api import ApiModel
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.settings import Settings


def ignored_names(model: object, ref: ObjectRef, settings: Settings) -> tuple[Problem, ...]:
    """A note for every cluster that is not compared, a warning for every workspace."""
    found = []
    for path in _named(model, ()):
        if path[-1] == "cluster" and settings.cluster_name is not None:
            continue
        kind, remedy = ProblemKind.WARNING, "remove it"
        if path[-1] == "cluster":
            kind = ProblemKind.NOTE
            remedy = "name this cluster with the setting cluster_name to compare it, or remove it"
        message = f"{format_path(path)} of {ref} is not compared with anything; {remedy}."
        found.append(Problem(kind, Reason.NO_EFFECT, message, ref, path))
    return tuple(found)


def _named(value: object, path: FieldPath) -> Iterator[FieldPath]:
    if isinstance(value, ApiModel):
        for name in type(value).model_fields:
            yield from _in_field(value, name, path)
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            yield from _named(entry, (*path, index))


def _in_field(model: BaseModel, name: str, path: FieldPath) -> Iterator[FieldPath]:
    value = getattr(model, name)
    alias = type(model).model_fields[name].alias or name
    if alias in ("cluster", "workspace") and isinstance(value, str) and value:
        yield (*path, alias)
    elif isinstance(value, ApiModel | tuple):
        yield from _named(value, (*path, alias))
