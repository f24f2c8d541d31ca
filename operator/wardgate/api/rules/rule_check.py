"""Holds a model against the rules of all its parts, as the API server does with their CEL expressions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel

from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rules import Rule
from wardgate.api.rules.shape import Shape, properties
from wardgate.problems import FieldPath


def broken_rules(model: BaseModel, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Rule]]:
    """Every rule that does not hold, with the place of the part that it stands at."""
    kind = type(model)
    for rule in rules_of(kind):
        if not rule.holds(model):
            yield path, rule
    for attribute, name, shape in _parts(kind):
        yield from _in_value(getattr(model, attribute), shape, path=(*path, name))


def rules_of(model: type[BaseModel]) -> tuple[Rule, ...]:
    """The rules at one model; ``metadata`` has none."""
    return model.RULES if issubclass(model, ApiModel) else ()


def _in_value(value: object, shape: Shape, *, path: FieldPath) -> Iterator[tuple[FieldPath, Rule]]:
    if isinstance(value, BaseModel):
        yield from broken_rules(value, path)
    elif isinstance(value, tuple) and shape.items is not None:
        for index, item in enumerate(value):
            yield from _in_value(item, shape.items, path=(*path, index))
    elif isinstance(value, dict) and shape.values is not None:
        for key, item in value.items():
            yield from _in_value(item, shape.values, path=(*path, key))


@cache
def _parts(model: type[BaseModel]) -> tuple[tuple[str, str, Shape], ...]:
    """Fields in which there are rules further down: attribute, JSON name, shape."""
    fields = zip(model.model_fields, properties(model).values(), strict=True)
    return tuple((attribute, part.name, part.shape) for attribute, part in fields if _has_rules(part.shape))


@cache
def _has_rules(shape: Shape | None) -> bool:
    if shape is None:
        return False
    if shape.model is not None:
        return bool(rules_of(shape.model)) or bool(_parts(shape.model))
    return _has_rules(shape.items) or _has_rules(shape.values)
