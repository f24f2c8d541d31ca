"""JSON values with the rules of the original library: truth, order, equality, conversion to C++ numbers.

A value is a result of ``json.loads``. Strings hold UTF-8 decoded with ``surrogateescape``, so that any bytes survive;
their length and order are those of the bytes. Integers stay within 64 bits: arithmetic wraps as signed, while a value
above 2^63-1 that came from JSON is unsigned, as in the library. One difference is deliberate: it is not recorded
whether arithmetic made a small non-negative number signed. Only a comparison with a number above 2^63-1 could tell.
"""

from __future__ import annotations

import math
from sys import getsizeof
from typing import Final, Protocol, TypeAlias

from wardgate.inja.errors import RenderError
from wardgate.text_codec import from_bytes, to_bytes

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

INT64_MAX: Final = 2**63 - 1
INT64_MIN: Final = -(2**63)
INT32_MIN: Final = -(2**31)
_TWO_64: Final = 2**64
_TWO_32: Final = 2**32

_RANKS: Final = {type(None): 0, bool: 1, int: 2, float: 2, dict: 3, list: 4, str: 5}
_NAMES: Final = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
    str: "string",
}


class Meter(Protocol):
    """Counts work; raises ``LimitError`` when there has been too much of it."""

    def charge(self, steps: int, /) -> None:
        """Add to the work done."""


def type_name(value: JsonValue) -> str:
    """Name a value's type as the library's messages do."""
    return _NAMES[type(value)]


def type_error(code: int, text: str) -> RenderError:
    """Make a type error of the JSON library."""
    return RenderError(f"[json.exception.type_error.{code}] {text}")


def wrap_int64(number: int) -> int:
    """Reduce to a signed 64-bit integer, as C++ arithmetic does here."""
    if INT64_MIN <= number <= INT64_MAX:
        return number
    number %= _TWO_64
    return number - _TWO_64 if number > INT64_MAX else number


def float_to_int64(number: float) -> int:
    """Truncate to an integer; a number out of range becomes the smallest integer, as on x86-64."""
    if -9.3e18 < number < 9.3e18:
        whole = int(number)
        # The bounds above only keep NaN and infinities from ``int``; these are exact.
        if INT64_MIN <= whole <= INT64_MAX:
            return whole
    return INT64_MIN


def float_to_int32(number: float) -> int:
    """Truncate to 32 bits; a number out of range becomes the smallest integer, as on x86-64."""
    if -2147483649.0 < number < 2147483648.0:
        return int(number)
    return INT32_MIN


def to_int64(value: JsonValue) -> int:
    """Convert a number; anything else, a boolean too, is a type error."""
    if type(value) is int:
        return wrap_int64(value)
    if type(value) is float:
        return float_to_int64(value)
    raise _type_must_be("number", value)


def to_int32(value: JsonValue) -> int:
    """Convert a number or a boolean to a 32-bit integer, integers modulo 2^32."""
    if type(value) is float:
        return float_to_int32(value)
    if isinstance(value, int):
        low = int(value) % _TWO_32
        return low - _TWO_32 if low >= _TWO_32 // 2 else low
    raise _type_must_be("number", value)


def to_double(value: JsonValue) -> float:
    """Convert a number; anything else, a boolean too, is a type error."""
    if type(value) is float:
        return value
    if type(value) is int:
        return float(value)
    raise _type_must_be("number", value)


def to_text(value: JsonValue) -> str:
    """Return the string, or raise a type error."""
    if type(value) is str:
        return value
    raise _type_must_be("string", value)


def to_text_ref(value: JsonValue) -> str:
    """Return the string, or raise the error that a reference to a string raises."""
    if type(value) is str:
        return value
    raise type_error(303, f"incompatible ReferenceType for get_ref, actual type is {type_name(value)}")


def is_number(value: JsonValue) -> bool:
    """Tell numbers from the rest; booleans are no numbers."""
    return type(value) is int or type(value) is float


def truthy(value: JsonValue) -> bool:
    """Truth in the template language: every string is true, even the empty one; NaN is false."""
    return type(value) is str or (bool(value) and not _is_nan(value))


def canonical(text: str) -> str:
    """Join the two halves of a character that were cut apart and concatenated again."""
    if text.isascii():
        return text
    return from_bytes(to_bytes(text))


def byte_length(text: str) -> int:
    """Length in bytes of UTF-8."""
    return len(text) if text.isascii() else len(to_bytes(text))


def is_unordered(left: JsonValue, right: JsonValue) -> bool:
    """Tell whether two numbers cannot be compared, because one is NaN."""
    return (_is_nan(left) and is_number(right)) or (_is_nan(right) and is_number(left))


def equal(left: JsonValue, right: JsonValue, meter: Meter) -> bool:
    """Compare by content; integers and floats of one value are equal."""
    if type(left) is str and type(right) is str:
        meter.charge(len(left) >> 11)
        return left == right
    if is_number(left) and is_number(right):
        return not is_unordered(left, right) and _order_numbers(left, right) == 0
    if type(left) is list and type(right) is list:
        meter.charge(1 + len(left))
        return len(left) == len(right) and all(equal(a, b, meter) for a, b in zip(left, right, strict=True))
    if type(left) is dict and type(right) is dict:
        meter.charge(1 + 2 * len(left))
        return left.keys() == right.keys() and all(equal(left[key], right[key], meter) for key in left)
    return type(left) is type(right) and left == right


def order(left: JsonValue, right: JsonValue, meter: Meter) -> int:
    """Return a negative number, zero or a positive one, as the library orders two values."""
    if type(left) is str and type(right) is str:
        meter.charge(_order_steps(left, right))
        return _order_texts(left, right)
    if is_number(left) and is_number(right):
        return _order_numbers(left, right)
    if type(left) is list and type(right) is list:
        return _order_lists(left, right, meter)
    if type(left) is dict and type(right) is dict:
        return _order_objects(left, right, meter)
    if type(left) is bool and type(right) is bool:
        return left - right
    return _RANKS[type(left)] - _RANKS[type(right)]


def cleared(value: JsonValue) -> JsonValue:
    """Return the empty value of the same type: a loop's variable after the loop."""
    return None if value is None else type(value)()


def is_empty(value: JsonValue) -> bool:
    """Emptiness as the JSON library has it: null and containers without members, never a string."""
    return value is None or (isinstance(value, list | dict) and not value)


def sorted_keys(value: dict[str, JsonValue], meter: Meter) -> list[str]:
    """List an object's keys in order."""
    comparisons = len(value).bit_length()
    meter.charge(len(value) * comparisons >> 4)
    meter.charge(sum(map(len, value)) * comparisons >> 9)
    return sorted(value)


def values_of(value: JsonValue, meter: Meter) -> list[JsonValue]:
    """List the values that iteration visits: members, an object's sorted by key, a scalar itself, of null none."""
    if type(value) is list:
        return value
    if type(value) is dict:
        return [value[key] for key in sorted_keys(value, meter)]
    return [] if value is None else [value]


def _is_nan(value: JsonValue) -> bool:
    return type(value) is float and math.isnan(value)


def _type_must_be(wanted: str, value: JsonValue) -> RenderError:
    return type_error(302, f"type must be {wanted}, but is {type_name(value)}")


def _order_steps(left: str, right: str) -> int:
    if left.isascii() and right.isascii():
        return min(len(left), len(right)) >> 11
    return 1 + (getsizeof(left) + getsizeof(right) >> 8)


def _order_texts(left: str, right: str) -> int:
    if not (left.isascii() and right.isascii()):
        a, b = to_bytes(left), to_bytes(right)
        return (a > b) - (a < b)
    return (left > right) - (left < right)


def _order_numbers(left: JsonValue, right: JsonValue) -> int:
    if type(left) is int and type(right) is int:
        a, b = left, right
        if a > INT64_MAX and b < 0:
            a -= _TWO_64
        elif b > INT64_MAX and a < 0:
            b -= _TWO_64
        return (a > b) - (a < b)
    x, y = to_double(left), to_double(right)
    return (x > y) - (x < y)


def _order_lists(left: list[JsonValue], right: list[JsonValue], meter: Meter) -> int:
    meter.charge(1 + min(len(left), len(right)))
    for a, b in zip(left, right, strict=False):
        difference = order(a, b, meter)
        if difference:
            return difference
    return len(left) - len(right)


def _order_objects(left: dict[str, JsonValue], right: dict[str, JsonValue], meter: Meter) -> int:
    meter.charge(1 + 2 * min(len(left), len(right)))
    for a, b in zip(sorted_keys(left, meter), sorted_keys(right, meter), strict=False):
        meter.charge(_order_steps(a, b))
        difference = _order_texts(a, b) or order(left[a], right[b], meter)
        if difference:
            return difference
    return len(left) - len(right)
