"""Coders of what is not an object: text, numbers, words of a closed list, lists, and what may be absent.

Nothing is converted: text is never read as a number, nor 1 as true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from wardgate.sensitive import Sensitive
from wardgate.wire.errors import EncodeError, WireError

Convert: TypeAlias = Callable[[object, int], object]
"""(value, depth) -> value"""


class UnknownPart(Exception):
    """Something in the format that only a newer version knows. The message names it, and holds no value."""


class Never:
    """The type of no value: marks a coder without a shortcut."""


@dataclass(frozen=True, slots=True)
class Coder:
    """Both directions for one type hint. A value whose type is exactly ``plain`` needs no conversion at all."""

    plain: type
    encode: Convert
    decode: Convert


def expected(what: str, value: object) -> str:
    """The message for a value of a wrong type."""
    return f"{what} expected, a value of type {type(value).__name__} found."


def _encode_str(value: object, _depth: int) -> object:
    if isinstance(value, str):
        return str.__str__(value)
    raise EncodeError(expected("str", value))


def _encode_int(value: object, _depth: int) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise EncodeError(expected("int", value))


def _encode_bool(value: object, _depth: int) -> object:
    raise EncodeError(expected("bool", value))


def _encode_float(value: object, _depth: int) -> object:
    if type(value) in {float, int}:
        return float(cast("float", value))
    raise EncodeError(expected("float", value))


def _encode_sensitive(value: object, _depth: int) -> object:
    if isinstance(value, Sensitive):
        return value.reveal()
    raise EncodeError(expected("Sensitive", value))


def _decode_float(value: object, _depth: int) -> object:
    if type(value) is float and math.isfinite(value):
        return value
    raise WireError(expected("A finite float", value))


def _decode_sensitive(value: object, _depth: int) -> object:
    if type(value) is str:
        return Sensitive(value)
    raise WireError(expected("str", value))


def _not(kind: type) -> Convert:
    """Decode what the shortcut did not take: nothing."""

    def decode(value: object, _depth: int) -> object:
        raise WireError(expected(kind.__name__, value))

    return decode


SCALARS: Final[Mapping[object, Coder]] = {
    str: Coder(plain=str, encode=_encode_str, decode=_not(str)),
    int: Coder(plain=int, encode=_encode_int, decode=_not(int)),
    bool: Coder(plain=bool, encode=_encode_bool, decode=_not(bool)),
    float: Coder(plain=Never, encode=_encode_float, decode=_decode_float),
    Sensitive: Coder(plain=Never, encode=_encode_sensitive, decode=_decode_sensitive),
}
TEXTS: Final = (SCALARS[str], SCALARS[Sensitive])


def word_of(words: tuple[object, ...]) -> Coder:
    """One of a closed list of words. Another word is a newer version's."""
    known = frozenset(words)

    def encode(value: object, _depth: int) -> object:
        if value in known:
            return value
        raise EncodeError(expected("A word of the list", value))

    def decode(value: object, _depth: int) -> object:
        if type(value) is not str:
            raise WireError(expected("str", value))
        if value in known:
            return value
        msg = f"a word that is none of {', '.join(sorted(map(str, known)))}"
        raise UnknownPart(msg)

    return Coder(plain=Never, encode=encode, decode=decode)


def tuple_of(item: Coder) -> Coder:
    """A list of one kind of item."""
    plain, encode_item, decode_item = item.plain, item.encode, item.decode

    def encode(value: object, depth: int) -> object:
        if type(value) is not tuple:
            raise EncodeError(expected("tuple", value))
        return [part if type(part) is plain else encode_item(part, depth) for part in value]

    def decode(value: object, depth: int) -> object:
        if type(value) is not list:
            raise WireError(expected("A list", value))
        return tuple([part if type(part) is plain else decode_item(part, depth) for part in value])

    return Coder(plain=Never, encode=encode, decode=decode)


def optional(item: Coder) -> Coder:
    """An item, or null."""

    def encode(value: object, depth: int) -> object:
        return None if value is None else item.encode(value, depth)

    def decode(value: object, depth: int) -> object:
        return None if value is None else item.decode(value, depth)

    return Coder(plain=item.plain, encode=encode, decode=decode)
