"""Names of clusters and workspaces in an object, which Gloo compares and this gateway mostly does not.

Clusters are compared if the installation has named its own. Workspaces never are: one gateway is one workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from wardgate.api import ApiModel
from wardgate.api.reading.removal import removal
from wardgate.problems import Cause, FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.settings import Settings

CLUSTER: Final = "cluster"
"""The subject of the cause of a finding about clusters; the cause's field is the name of the cluster."""
_WORKSPACE: Final = "workspace"


@dataclass(frozen=True, slots=True)
class _GivenName:
    """``value`` stands at ``path``. ``alone``: its object has no other fields than such names."""

    path: FieldPath
    value: str
    alone: bool


def ignored_names(model: object, ref: ObjectRef, *, settings: Settings) -> tuple[Problem, ...]:
    """A note for every cluster that is not compared, a warning for every workspace."""
    passed_over = {_WORKSPACE} if settings.cluster_name is not None else {CLUSTER, _WORKSPACE}
    found = _named(model, (), wanted=passed_over)
    return tuple(_cluster(one, ref) if one.path[-1] == CLUSTER else _workspace(one, ref) for one in found)


def _cluster(one: _GivenName, ref: ObjectRef) -> Problem:
    """A name that costs nothing while all objects name the same cluster: see ``statuses.severity``."""
    message = (
        f"{format_path(one.path)} of {ref} is not compared with anything, because the setting cluster_name is not "
        "set. With one cluster nothing is to be done."
    )
    return Problem(ProblemKind.NOTE, Reason.NO_EFFECT, message, ref, one.path, Cause(CLUSTER, (one.value,)))


def _workspace(one: _GivenName, ref: ObjectRef) -> Problem:
    remedy = removal(one.path, alone=one.alone)
    message = f"{format_path(one.path)} of {ref} is not compared with anything; {remedy}."
    return Problem(ProblemKind.WARNING, Reason.NO_EFFECT, message, ref, one.path, Cause(_WORKSPACE))


def _named(value: object, path: FieldPath, *, wanted: Collection[str]) -> Iterator[_GivenName]:
    if isinstance(value, ApiModel):
        for name in type(value).model_fields:
            yield from _in_field(value, name, path=path, wanted=wanted)
    elif isinstance(value, tuple):
        for index, entry in enumerate(value):
            yield from _named(entry, (*path, index), wanted=wanted)


def _in_field(model: BaseModel, name: str, *, path: FieldPath, wanted: Collection[str]) -> Iterator[_GivenName]:
    value = getattr(model, name)
    alias = type(model).model_fields[name].alias or name
    if alias in wanted and isinstance(value, str) and value:
        yield _GivenName((*path, alias), value, model.model_fields_set.issubset(wanted))
    elif isinstance(value, ApiModel | tuple):
        yield from _named(value, (*path, alias), wanted=wanted)
