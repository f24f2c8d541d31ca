"""Options that several commands share, as one parameter of each.

A command takes ``proxy: ProxyOptions = ProxyOptions()``, a dataclass whose fields are annotated as Typer wants its
parameters. ``grouped`` shows Typer a parameter for each field and gives the command the dataclass, so that a new option
is written in one place and not once for each command. The default of the parameter holds the defaults of its options.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, get_type_hints

P = ParamSpec("P")


def grouped(command: Callable[P, None]) -> Callable[P, None]:
    """Wrap a command. Parameters that are no dataclass stay as they are; all keep their order."""
    signature = inspect.signature(command, eval_str=True)
    groups = {one.name: one for one in signature.parameters.values() if dataclasses.is_dataclass(one.annotation)}
    parameters = [shown for one in signature.parameters.values() for shown in _shown(one, of_group=one.name in groups)]

    @wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        given: dict[str, Any] = dict(kwargs)
        for name, group in groups.items():
            members = {field.name: given.pop(field.name) for field in dataclasses.fields(group.annotation)}
            given[name] = group.annotation(**members)
        command(*args, **given)

    call.__dict__["__signature__"] = signature.replace(parameters=parameters)
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


def chosen(*groups: Any, many: Callable[[list[Any]], object]) -> dict[str, Any]:
    """Return the values that were given, by field, as settings hold them: text for paths, ``many`` for lists."""
    given = {field.name: getattr(group, field.name) for group in groups for field in dataclasses.fields(group)}
    return {name: _plain(value, many) for name, value in given.items() if value is not None}


def _plain(value: object, many: Callable[[list[Any]], object]) -> object:
    if isinstance(value, Path):
        return str(value)
    return many(value) if isinstance(value, list) else value


def _shown(parameter: inspect.Parameter, *, of_group: bool) -> Iterator[inspect.Parameter]:
    if not of_group:
        yield parameter
        return
    hints = get_type_hints(parameter.annotation, include_extras=True)
    for field in dataclasses.fields(parameter.annotation):
        default = getattr(parameter.default, field.name)
        yield inspect.Parameter(field.name, parameter.kind, default=default, annotation=hints[field.name])
