"""The functions of the template language itself.

Each takes the rendering's state and its evaluated arguments; their name and number were checked by the parser. The
caller charges for texts among the arguments; a function charges for any value that it walks over or makes beyond these.
``default`` and ``super`` are not here but in the compiler: ``default`` may leave an argument unevaluated, and ``super``
is always an error whose text depends on its position.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cmp_to_key
from sys import getsizeof
from typing import Final, TypeAlias

from wardgate.inja.errors import RenderError, quoting
from wardgate.inja.jsontext import dump_within
from wardgate.inja.pointer import MISSING, dotted_path, find
from wardgate.inja.state import RenderState
from wardgate.inja.values import (
    INT32_MIN,
    JsonValue,
    byte_length,
    canonical,
    float_to_int32,
    order,
    to_double,
    to_int32,
    to_int64,
    to_text,
    to_text_ref,
    type_error,
    type_name,
    values_of,
)
from wardgate.text_codec import from_bytes, to_bytes

Implementation: TypeAlias = Callable[[RenderState, list[JsonValue]], JsonValue]


@dataclass(frozen=True, slots=True)
class Function:
    """A function and the numbers of arguments it takes; ``variadic`` means one or more.

    ``reads``: it may examine all of a text argument, and is charged for that.
    """

    call: Implementation
    arities: frozenset[int] = frozenset({1})
    variadic: bool = False
    reads: bool = True

    def takes(self, count: int) -> bool:
        """Tell whether this many arguments are right."""
        return count in self.arities or (self.variadic and count > 0)


_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]*)")
_LEADING_NUMBER: Final = re.compile(
    r"""[ \t\n\v\f\r]*([+-]?)(?:
        (?P<hex>0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?)
      | (?P<decimal>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<infinite>[iI][nN][fF])
      | (?P<nan>[nN][aA][nN])
    )""",
    re.VERBOSE,
)
_SMALLEST_NORMAL: Final = 2.2250738585072014e-308
_INT32_MAX: Final = -(INT32_MIN + 1)


def at(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Member of an object by key, or of an array by index."""
    container, key = arguments
    if type(container) is dict:
        return member(container, to_text(key))
    index = to_int32(key)
    if type(container) is not list:
        raise type_error(304, f"cannot use at() with {type_name(container)}")
    if not 0 <= index < len(container):
        shown = index if index >= 0 else index + 2**64
        raise quoting("[json.exception.out_of_range.401] array index {} is out of range", shown)
    return container[index]


def member(container: JsonValue, name: str) -> JsonValue:
    """Member of an object by name, as the operator ``.`` finds it."""
    if type(container) is not dict:
        raise type_error(304, f"cannot use at() with {type_name(container)}")
    if name not in container:
        raise quoting("[json.exception.out_of_range.403] key '{}' not found", name)
    return container[name]


def divisible_by(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Tell whether the first number divides by the second without a remainder."""
    divisor = to_int64(arguments[1])
    return divisor != 0 and to_int64(arguments[0]) % divisor == 0


def even(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Tell even numbers."""
    return to_int64(arguments[0]) % 2 == 0


def odd(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Tell odd numbers."""
    return to_int64(arguments[0]) % 2 != 0


def exists(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Tell whether the data has a value at this path; variables do not count."""
    name = to_text_ref(arguments[0])
    state.charge((len(name) >> 6) + name.count(".") + name.count("/") + name.count("~"))
    return find(state.data, dotted_path(name)) is not MISSING


def exists_in(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Tell whether an object has this key."""
    name = to_text_ref(arguments[1])
    return type(arguments[0]) is dict and name in arguments[0]


def first(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """First member."""
    return _members(arguments[0], state)[0]


def last(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Last member."""
    return _members(arguments[0], state)[-1]


def largest(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """First of the largest members."""
    members = _members(arguments[0], state)
    best = members[0]
    state.charge(len(members))
    for value in members:
        if order(best, value, state) < 0:
            best = value
    return best


def smallest(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """First of the smallest members."""
    members = _members(arguments[0], state)
    best = members[0]
    state.charge(len(members))
    for value in members:
        if order(value, best, state) < 0:
            best = value
    return best


def length(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Bytes of a string, members of a container, 1 for a scalar, 0 for null."""
    value = arguments[0]
    if type(value) is str:
        return byte_length(value)
    if isinstance(value, list | dict):
        return len(value)
    return 0 if value is None else 1


def lower(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """ASCII letters in lower case."""
    text = to_text(arguments[0])
    return text.lower() if text.isascii() else from_bytes(to_bytes(text).lower())


def upper(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """ASCII letters in upper case."""
    text = to_text(arguments[0])
    return text.upper() if text.isascii() else from_bytes(to_bytes(text).upper())


def number_range(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Return ``[0 .. n-1]``."""
    count = to_int64(arguments[0])
    if count < 0:
        msg = "cannot create std::vector larger than max_size()"
        raise RenderError(msg)
    state.charge(1 + (count >> 2))
    return list(range(count))


def round_to(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Round half away from zero; without decimals to a 32-bit integer."""
    state.charge(3)
    digits = to_int64(arguments[1])
    number = to_double(arguments[0])
    scale = power(10.0, digits)
    result = _round_half_away(number * scale) / scale if scale else math.nan
    return float_to_int32(result) if digits == 0 else result


def sort(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Sort an array by the order of JSON values."""
    values = arguments[0]
    if type(values) is not list:
        raise type_error(302, f"type must be array, but is {type_name(values)}")
    state.charge(len(values) * len(values).bit_length())

    def compare(left: JsonValue, right: JsonValue) -> int:
        return order(left, right, state)

    return sorted(values, key=cmp_to_key(compare))


def join(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Members in one string; strings as they are, other values as JSON."""
    separator = to_text(arguments[1])
    members = values_of(arguments[0], state)
    state.charge(len(members) + (len(members) * getsizeof(separator) >> 7))
    pieces = []
    for value in members:
        piece = value if type(value) is str else dump_within(value, state, max_bytes=state.limits.output_bytes)
        pieces.append(state.charge_text(piece))
    return canonical(separator.join(pieces))


def to_integer(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Integer at the beginning of a string."""
    found = _INTEGER.match(to_text_ref(arguments[0]))
    assert found is not None
    sign, digits = found.groups()
    has_digits = bool(digits) or found.group().endswith("0")
    if not has_digits or len(digits) > 10:
        msg = "stoi"
        raise RenderError(msg)
    number = int(f"{sign}{digits or 0}")
    if not INT32_MIN <= number <= _INT32_MAX:
        msg = "stoi"
        raise RenderError(msg)
    return number


def to_float(state: RenderState, arguments: list[JsonValue]) -> JsonValue:
    """Number at the beginning of a string, as the C library reads it."""
    text = to_text_ref(arguments[0])
    state.charge(len(text) >> 5)
    found = _LEADING_NUMBER.match(text)
    if found is None:
        msg = "stod"
        raise RenderError(msg)
    number = _read_float(found)
    return -number if found.group(1) == "-" else number


def power(base: float, exponent: int) -> float:
    """Compute ``pow`` as the C library does: infinity instead of an exception."""
    try:
        return math.pow(base, exponent)
    except (OverflowError, ValueError):  # too large, or zero to a negative power
        return math.copysign(math.inf, base) if float(exponent) % 2 else math.inf


def _members(value: JsonValue, state: RenderState) -> list[JsonValue]:
    members = values_of(value, state)
    if not members:
        msg = "[json.exception.invalid_iterator.214] cannot get value"
        raise RenderError(msg)
    return members


def _round_half_away(number: float) -> float:
    if not math.isfinite(number):
        return number
    whole = math.floor(abs(number))
    if abs(number) - whole >= 0.5:
        whole += 1
    return math.copysign(float(whole), number)


def _read_float(found: re.Match[str]) -> float:
    if found["infinite"]:
        return math.inf
    if found["nan"]:
        return math.nan
    digits = found["hex"] or found["decimal"]
    try:
        number = float.fromhex(digits) if found["hex"] else float(digits)
    except OverflowError:
        number = math.inf
    vanished = number < _SMALLEST_NORMAL and re.search("[1-9a-fA-F]", _mantissa(found))
    if number == math.inf or vanished:
        msg = "stod"
        raise RenderError(msg)
    return number


def _mantissa(found: re.Match[str]) -> str:
    if found["hex"]:
        return re.split("[pP]", found["hex"][2:])[0]
    return re.split("[eE]", found["decimal"])[0]


def _kind(*kinds: type) -> Function:
    accepted = frozenset(kinds)
    return Function(lambda _, arguments: type(arguments[0]) in accepted, reads=False)


_TWO: Final = frozenset({2})

CORE_FUNCTIONS: Final[Mapping[str, Function]] = {
    "at": Function(at, _TWO),
    "divisibleBy": Function(divisible_by, _TWO),
    "even": Function(even),
    "exists": Function(exists),
    "existsIn": Function(exists_in, _TWO),
    "first": Function(first),
    "float": Function(to_float),
    "int": Function(to_integer),
    "isArray": _kind(list),
    "isBoolean": _kind(bool),
    "isFloat": _kind(float),
    "isInteger": _kind(int),
    "isNumber": _kind(int, float),
    "isObject": _kind(dict),
    "isString": _kind(str),
    "join": Function(join, _TWO),
    "last": Function(last),
    "length": Function(length),
    "lower": Function(lower),
    "max": Function(largest),
    "min": Function(smallest),
    "odd": Function(odd),
    "range": Function(number_range),
    "round": Function(round_to, _TWO),
    "sort": Function(sort),
    "upper": Function(upper),
}
