"""The coder of one dataclass: an object with its fields in sorted order, without those that have their default.

Leaving defaults out is what lets a new field arrive without changing a byte for configs that do not use it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from wardgate.wire.coders import Coder, Convert, UnknownPart, expected
from wardgate.wire.errors import EncodeError, WireError

T = TypeVar("T")

MAX_DEPTH: Final = 64
"""Objects within objects. Only boolean expressions nest freely; whoever builds one keeps it well below this."""
_NONE: Final[Mapping[str, Convert]] = MappingProxyType({})


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """``default`` is ``dataclasses.MISSING`` for a field that must be there."""

    name: str
    coder: Coder
    default: object


class Record(Generic[T]):
    """Built empty and defined afterwards, so that kinds may nest in themselves."""

    def __init__(self, cls: type[T]) -> None:
        self.cls = cls
        self._fields: dict[str, Field] = {}
        self._required: frozenset[str] = frozenset()

    def define(self, fields: Iterable[Field]) -> None:
        """Set the fields."""
        self._fields = {field.name: field for field in sorted(fields, key=lambda field: field.name)}
        self._required = frozenset(name for name, field in self._fields.items() if field.default is dataclasses.MISSING)

    def encode(self, value: object, depth: int = 1, *, parts: Mapping[str, Convert] = _NONE) -> dict[str, object]:
        """Turn a value into its object; ``parts`` encode the fields they name."""
        if type(value) is not self.cls:
            raise EncodeError(expected(self.cls.__name__, value))
        if depth > MAX_DEPTH:
            raise EncodeError(self._too_deep())
        encoded: dict[str, object] = {}
        for name, field in self._fields.items():
            part = getattr(value, name)
            if part != field.default:
                coder = field.coder
                encode = parts.get(name, coder.encode)
                encoded[name] = part if type(part) is coder.plain else encode(part, depth + 1)
        return encoded

    def decode(self, value: object, depth: int = 1) -> T:
        """Read an object of which everything must be known; raises ``UnknownPart`` or ``WireError``."""
        if depth > MAX_DEPTH:
            raise WireError(self._too_deep())
        parts: dict[str, object] = {}
        for name, part in self._object(value).items():
            field = self._fields.get(name)
            if field is None:
                raise UnknownPart(self._unknown(name))
            coder = field.coder
            parts[name] = part if type(part) is coder.plain else coder.decode(part, depth + 1)
        return self._build(parts)

    def decode_known(self, value: object, *, unknown: list[str], parts: Mapping[str, Callable[[object], object]]) -> T:
        """Read an object, leave unknown fields out and name them in ``unknown``; ``parts`` read the fields they name.

        ``UnknownPart`` comes only from within fields that ``parts`` does not name.
        """
        known: dict[str, object] = {}
        for name, part in self._object(value).items():
            field = self._fields.get(name)
            if field is None:
                unknown.append(self._unknown(name))
            elif name in parts:
                known[name] = parts[name](part)
            else:
                known[name] = part if type(part) is field.coder.plain else field.coder.decode(part, 2)
        return self._build(known)

    def _object(self, value: object) -> dict[str, object]:
        if type(value) is not dict:
            raise WireError(expected(self.cls.__name__, value))
        return value

    def _build(self, parts: dict[str, object]) -> T:
        if not self._required <= parts.keys():
            missing = ", ".join(sorted(self._required - parts.keys()))
            msg = f"{self.cls.__name__} lacks {missing}."
            raise WireError(msg)
        return self.cls(**parts)

    def _unknown(self, name: str) -> str:
        return f"unknown field {name[:40]!r} of {self.cls.__name__}"

    def _too_deep(self) -> str:
        return f"{self.cls.__name__} is nested more than {MAX_DEPTH} deep."
