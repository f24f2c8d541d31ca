"""Structural OpenAPI schemas from models: what the API server checks, prunes and explains.

Every value has a type, nothing is referenced, nothing is nullable (the API server drops a null of a field that is not)
and nothing has a default: absence is kept apart from every value. Where a model is open, or a part free-form, unknown
fields are preserved; everywhere else they are pruned.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from wardgate.api.rules.model import ApiModel
from wardgate.api.rules.rule_check import rules_of
from wardgate.api.rules.shape import Bounds, Property, Shape, properties

Schema: TypeAlias = dict[str, Any]

_EXACT_IN_JSON: Final = 2**53
"""Above it a bound cannot be written exactly; the format says it instead."""
_LENGTHS: Final = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def model_schema(model: type[BaseModel], description: str) -> Schema:
    """The schema of an object with the model's fields."""
    schema: Schema = {"description": description} if description else {}
    schema["type"] = "object"
    fields = properties(model)
    if fields:
        schema["properties"] = {name: property_schema(part) for name, part in fields.items()}
    required = [name for name, part in fields.items() if part.required]
    if required:
        schema["required"] = required
    if issubclass(model, ApiModel) and model.OPEN:
        schema["x-kubernetes-preserve-unknown-fields"] = True
    rules = rules_of(model)
    if rules:
        schema["x-kubernetes-validations"] = [{"rule": rule.cel, "message": rule.message} for rule in rules]
    return schema


def property_schema(part: Property) -> Schema:
    """The schema of one field."""
    return {**_schema(part.shape, part.description), **part.extra}


def _schema(shape: Shape, description: str = "") -> Schema:
    if shape.model is not None:
        return model_schema(shape.model, description)
    schema: Schema = {"description": description} if description else {}
    schema["type"] = shape.json_type
    if shape.choices:
        schema["enum"] = list(shape.choices)
    schema.update(_bounds(shape))
    if shape.items is not None:
        schema["items"] = _schema(shape.items)
    elif shape.values is not None:
        schema["additionalProperties"] = _schema(shape.values)
    elif shape.json_type == "object":
        schema["x-kubernetes-preserve-unknown-fields"] = True
    return schema


def _bounds(shape: Shape) -> Schema:
    limits = shape.limits
    if shape.json_type == "integer":
        return _number_bounds(limits)
    shortest, longest = _LENGTHS.get(shape.json_type, ("", ""))
    bounds = {shortest: limits.shortest, longest: limits.longest, "pattern": limits.pattern}
    return {word: bound for word, bound in bounds.items() if bound is not None}


def _number_bounds(limits: Bounds) -> Schema:
    bounds: Schema = {"format": "int32" if limits.high is not None and limits.high < 2**31 else "int64"}
    written = {"minimum": limits.low, "maximum": limits.high}
    bounds.update({word: bound for word, bound in written.items() if bound is not None and bound < _EXACT_IN_JSON})
    return bounds
