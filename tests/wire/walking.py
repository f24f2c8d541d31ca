"""Walks over the model's types and over JSON, for tests that leave nothing out."""

from __future__ import annotations

import copy
import dataclasses
import json
import typing
from collections.abc import Iterator
from types import NoneType, UnionType

from wardgate.ir import GatewayConfig
from wardgate.wire.text import dump, parse

Path = tuple[str | int, ...]


def types_of(cls: type = GatewayConfig) -> dict[str, type]:
    """Every dataclass that a configuration can hold, by name."""
    found: dict[str, type] = {}
    _collect(cls, found)
    return found


def _collect(hint: object, found: dict[str, type]) -> None:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint.__name__ not in found:
        found[hint.__name__] = hint
        for part in typing.get_type_hints(hint).values():
            _collect(part, found)
    for argument in typing.get_args(hint):
        _collect(argument, found)


def describe(cls: type) -> dict[str, str]:
    """The fields of a dataclass with type and default, written the same on every Python."""
    hints = typing.get_type_hints(cls)
    return {field.name: f"{_hint(hints[field.name])}{_default(field)}" for field in dataclasses.fields(cls)}


def _hint(hint: object) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, UnionType}:
        return " | ".join(sorted(_hint(argument) for argument in arguments))
    if origin is typing.Literal:
        return " | ".join(sorted(repr(argument) for argument in arguments))
    if origin is tuple:
        return f"tuple[{_hint(arguments[0])}, ...]"
    if hint is NoneType:
        return "None"
    assert isinstance(hint, type)
    return hint.__name__


def _default(field: dataclasses.Field[object]) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return " = its own defaults"
    return "" if field.default is dataclasses.MISSING else f" = {field.default!r}"


def objects_in(value: object, path: Path = ()) -> Iterator[Path]:
    """The paths of all objects within a JSON value, itself included."""
    if isinstance(value, dict):
        yield path
    for key, part in _parts(value):
        yield from objects_in(part, (*path, key))


def words_in(value: object, names: frozenset[str], path: Path = ()) -> Iterator[Path]:
    """The paths of all texts that stand under one of ``names``."""
    for key, part in _parts(value):
        if key in names and isinstance(part, str):
            yield (*path, key)
        yield from words_in(part, names, (*path, key))


def at(value: object, path: Path) -> typing.Any:
    """What stands there."""
    for key in path:
        value = typing.cast("dict[str | int, object]", value)[key]
    return value


def changed(value: object, path: Path, new: object) -> object:
    """A copy with another value there."""
    copied = copy.deepcopy(value)
    at(copied, path[:-1])[path[-1]] = new
    return copied


def load(data: bytes) -> typing.Any:
    """A group's bytes as JSON."""
    return parse(data)


def write(value: object) -> bytes:
    """JSON as a group's bytes."""
    return dump(value)


def pretty(value: object) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def _parts(value: object) -> list[tuple[str | int, object]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
