"""Safe access to a raw manifest, whatever its shape.

Used only on objects that do not parse: for their selectors, their labels, and the index of a bad route. Everything else
is read from the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from wardgate.problems import FieldPath


def at(value: object, *path: str | int) -> object:
    """The value at ``path``, or None where the manifest has another shape."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and _is_list(value) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def items(value: object) -> Sequence[object]:
    """The items of a list; none for any other value."""
    return value if _is_list(value) else ()


def mapping(value: object) -> Mapping[str, object]:
    """The value if it is a mapping, else an empty mapping."""
    return value if isinstance(value, Mapping) else {}


def labels_of(manifest: Mapping[str, object]) -> dict[str, str]:
    """The entries of ``metadata.labels`` whose values are text."""
    labels = mapping(at(manifest, "metadata", "labels"))
    return {key: value for key, value in labels.items() if isinstance(value, str)}


def replaced(manifest: Mapping[str, object], path: FieldPath, *, value: object) -> dict[str, object]:
    """A copy of the manifest in which ``path`` holds ``value``; what lies beside the path is shared, not copied."""
    copy = _replaced(manifest, path, value=value)
    assert isinstance(copy, dict)
    return copy


def _replaced(node: object, path: FieldPath, *, value: object) -> object:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(node, Mapping):
        return {**node, str(step): _replaced(node.get(step), rest, value=value)}
    assert isinstance(step, int)
    entries = list(items(node))
    entries[step] = _replaced(entries[step], rest, value=value)
    return entries


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
