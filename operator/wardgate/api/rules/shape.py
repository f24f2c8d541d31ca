"""A model as seen from outside: JSON types, limits and nested parts, read once from its annotations.

Both the CRDs and the search for unknown fields work from this one description.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

JsonType = Literal["object", "array", "string", "integer", "boolean"]

_SCALARS: Final[Mapping[object, JsonType]] = {str: "string", int: "integer", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low`` and ``high`` bound numbers; ``shortest`` and ``longest`` bound texts, lists and maps."""

    low: int | None = None
    high: int | None = None
    shortest: int | None = None
    longest: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One value. ``model`` for an object with known fields, ``items`` for a list, ``values`` for a map.

    An object with none of these is free-form.
    """

    json_type: JsonType
    model: type[BaseModel] | None = None
    items: Shape | None = None
    values: Shape | None = None
    choices: tuple[str, ...] = ()
    limits: Bounds = field(default=Bounds())


@dataclass(frozen=True, slots=True)
class Property:
    """One field of a model under its JSON name."""

    name: str
    description: str
    required: bool
    shape: Shape
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further words of the CRD schema."""


@cache
def properties(model: type[BaseModel]) -> Mapping[str, Property]:
    """The fields of a model by JSON name, in the order they are declared."""
    found: dict[str, Property] = {}
    for attribute, info in model.model_fields.items():
        name = info.serialization_alias or attribute
        shape = _bounded(_shape(info.annotation), info.metadata)
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        found[name] = Property(name, info.description or "", info.is_required(), shape, extra)
    return found


def _shape(annotation: Any) -> Shape:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("object", model=annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _bounded(_shape(arguments[0]), list(annotation.__metadata__))
    if origin in (Union, types.UnionType):
        return _shape(next(argument for argument in arguments if argument is not types.NoneType))
    if origin is tuple:
        return Shape("array", items=_shape(arguments[0]))
    if origin is dict:
        return Shape("object", values=None if arguments[1] is Any else _shape(arguments[1]))
    return Shape("string", choices=arguments) if origin is Literal else Shape(_SCALARS[annotation])


def _number(bound: object) -> int:
    assert isinstance(bound, int)
    return bound


def _bounded(shape: Shape, metadata: list[Any]) -> Shape:
    limits = shape.limits
    for item in metadata:
        match item:
            case FieldInfo():
                limits = _bounded(replace(shape, limits=limits), item.metadata).limits
            case annotated_types.Ge():
                limits = replace(limits, low=_number(item.ge))
            case annotated_types.Le():
                limits = replace(limits, high=_number(item.le))
            case annotated_types.MinLen():
                limits = replace(limits, shortest=item.min_length)
            case annotated_types.MaxLen():
                limits = replace(limits, longest=item.max_length)
            case _ if getattr(item, "pattern", None) is not None:
                limits = replace(limits, pattern=item.pattern)
    return replace(shape, limits=limits)
