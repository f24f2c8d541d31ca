"""Builds the coders of a family of dataclasses from their type hints, once, when the program starts.

A hint on the wire: text, numbers and booleans as themselves; ``Sensitive`` as its text; ``Literal`` as its
word; ``tuple[X, ...]`` as a list; a dataclass as an object; ``X | None`` as ``X`` or null. Where several kinds share a
place, a dataclass also carries the name of its kind, under ``TAG``.

Decoding tells two failures apart. ``WireError``: the bytes break the format (a wrong type, a missing field, too deep).
``UnknownPart``: they keep to it but hold a field, a kind or a word that only a newer version knows; what that closes is
decided where the object's use is known (``lenient.py``).
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Final, TypeVar, cast

from wardgate.wire.coders import SCALARS, TEXTS, Coder, Never, UnknownPart, expected, optional, tuple_of, word_of
from wardgate.wire.errors import EncodeError, WireError
from wardgate.wire.record import Field, Record

T = TypeVar("T")

TAG: Final = "@"
"""Where an object carries the name of its kind; sorts before every field name."""


class Codec:
    """``tags`` names the dataclasses that stand in unions with another kind, or with text."""

    def __init__(self, tags: Mapping[type, str]) -> None:
        self._tags = tags
        self._records: dict[type, Record[object]] = {}

    def record(self, cls: type[T]) -> Record[T]:
        """The coder of a dataclass, the same one every time."""
        held = self._records.get(cls)
        if held is None:
            held = self._records[cls] = Record(cast("type[object]", cls))
            held.define(self._fields(cls))
        return cast("Record[T]", held)

    def coder(self, hint: object) -> Coder:
        """The coder of a type hint. Raises ``TypeError`` for one that has no form on the wire."""
        if hint in SCALARS:
            return SCALARS[hint]
        if _is_record(hint):
            record = self.record(cast("type[object]", hint))
            return Coder(plain=Never, encode=record.encode, decode=record.decode)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Literal:
            return word_of(args)
        if origin is tuple and args[1:] == (Ellipsis,):
            return tuple_of(self.coder(args[0]))
        if origin in {typing.Union, UnionType}:
            return self._union(args)
        msg = f"The wire has no form for {hint}."
        raise TypeError(msg)

    def _fields(self, cls: type) -> list[Field]:
        hints = typing.get_type_hints(cls)
        return [
            Field(name=field.name, coder=self.coder(hints[field.name]), default=_default(field))
            for field in dataclasses.fields(cls)
        ]

    def _union(self, members: tuple[object, ...]) -> Coder:
        some = [member for member in members if member is not NoneType]
        coder = self.coder(some[0]) if len(some) == 1 else self._one_of(some)
        return optional(coder) if len(some) < len(members) else coder

    def _one_of(self, members: list[object]) -> Coder:
        kinds = [cast("type[object]", member) for member in members if _is_record(member)]
        texts = [self.coder(member) for member in members if not _is_record(member)]
        if len(texts) > 1 or any(text not in TEXTS for text in texts):
            msg = f"A union may hold dataclasses and one kind of text, not {members}."
            raise TypeError(msg)
        records = {self._tags[kind]: self.record(kind) for kind in kinds}
        text = texts[0] if texts else _NO_TEXT
        return Coder(plain=text.plain, encode=_encode_one_of(records, text), decode=_decode_one_of(records, text))


def _is_record(hint: object) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def _default(field: dataclasses.Field[object]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _encode_one_of(records: Mapping[str, Record[object]], text: Coder) -> typing.Callable[[object, int], object]:
    named = {record.cls: (tag, record) for tag, record in records.items()}

    def encode(value: object, depth: int) -> object:
        found = named.get(type(value))
        if found is None:
            return text.encode(value, depth)
        tag, record = found
        return {TAG: tag, **record.encode(value, depth)}

    return encode


def _decode_one_of(records: Mapping[str, Record[object]], text: Coder) -> typing.Callable[[object, int], object]:
    def decode(value: object, depth: int) -> object:
        if type(value) is not dict:
            return text.decode(value, depth)
        parts = dict(value)
        tag = parts.pop(TAG, None)
        if type(tag) is not str:
            msg = "An object that may be of several kinds lacks its kind."
            raise WireError(msg)
        record = records.get(tag)
        if record is None:
            msg = f"unknown kind {tag[:40]!r}"
            raise UnknownPart(msg)
        return record.decode(parts, depth)

    return decode


def _encode_no_text(value: object, _depth: int) -> object:
    raise EncodeError(expected("One of several kinds", value))


def _decode_no_text(value: object, _depth: int) -> object:
    raise WireError(expected("An object", value))


_NO_TEXT = Coder(plain=Never, encode=_encode_no_text, decode=_decode_no_text)
