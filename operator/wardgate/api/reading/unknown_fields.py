"""Fields of a manifest that no model knows, with the nearest name that one does.

The API server drops such fields; in a folder nobody would notice. They are warnings, because an object of a newer
version of the API must stay usable.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from pydantic import BaseModel

from wardgate.api.rules.meta import PASSIVE_FIELDS, ObjectMeta
from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.shape import Shape, properties
from wardgate.problems import FieldPath

_TOP_LEVEL: Final = frozenset({"status"})


@dataclass(frozen=True, slots=True)
class UnknownField:
    """``nearest`` is the known name that it most resembles, if any does. ``alone``: its mapping holds nothing known."""

    path: FieldPath
    nearest: str | None
    alone: bool = False


def find_unknown(manifest: Mapping[str, object], model: type[BaseModel]) -> Iterator[UnknownField]:
    """The unknown fields of an object."""
    return _in_object(manifest, model, path=())


def unknown_among(names: Iterable[str], known: Iterable[str], *, path: FieldPath = ()) -> Iterator[UnknownField]:
    """Those of ``names`` that are not ``known``."""
    choices = sorted(known)
    for name in names:
        if name not in choices:
            yield UnknownField((*path, name), _nearest(name, choices))


@cache
def _walked(model: type[BaseModel]) -> Mapping[str, Shape]:
    """Fields in which there are models further down."""
    return {name: part.shape for name, part in properties(model).items() if _leads_to_model(part.shape)}


@cache
def _known(model: type[BaseModel]) -> frozenset[str]:
    names = frozenset(properties(model))
    if model is ObjectMeta:
        return names | PASSIVE_FIELDS
    return names | _TOP_LEVEL if "apiVersion" in names else names


def _leads_to_model(shape: Shape | None) -> bool:
    return shape is not None and (
        shape.model is not None or _leads_to_model(shape.items) or _leads_to_model(shape.values)
    )


def _in_object(value: Mapping[str, object], model: type[BaseModel], *, path: FieldPath) -> Iterator[UnknownField]:
    known = _known(model)
    if not known.issuperset(value) and not (issubclass(model, ApiModel) and model.OPEN):
        found = tuple(unknown_among(value, known, path=path))
        alone = known.isdisjoint(value) and all(one.nearest is None for one in found)
        yield from (replace(one, alone=alone) for one in found)
    for name, shape in _walked(model).items():
        if name in value:
            yield from _in_value(value[name], shape, path=(*path, name))


def _in_value(value: object, shape: Shape, *, path: FieldPath) -> Iterator[UnknownField]:
    if shape.model is not None:
        if isinstance(value, dict):
            yield from _in_object(value, shape.model, path=path)
    elif shape.items is not None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _in_value(item, shape.items, path=(*path, index))
    elif shape.values is not None and isinstance(value, dict):
        for key, item in value.items():
            yield from _in_value(item, shape.values, path=(*path, key))


def _nearest(name: str, choices: list[str]) -> str | None:
    """By spelling; a name that differs in case alone is always the nearest."""
    for choice in choices:
        if choice.lower() == name.lower().replace("_", "").replace("-", ""):
            return choice
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    return close[0] if close else None
