"""The binary operators on two evaluated operands.

``and``, ``or`` and ``.`` are not here: they decide themselves whether and how to evaluate their right-hand side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from wardgate.inja.errors import render_error_at
from wardgate.inja.functions import power
from wardgate.inja.nodes import Position
from wardgate.inja.state import RenderState
from wardgate.inja.values import (
    JsonValue,
    canonical,
    equal,
    float_to_int64,
    is_unordered,
    order,
    to_double,
    to_int64,
    values_of,
    wrap_int64,
)

Operation: TypeAlias = Callable[[RenderState, JsonValue, JsonValue, Position], JsonValue]


def add(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Join strings, or add numbers."""
    if type(left) is str and type(right) is str:
        state.charge_text(left)
        state.charge_text(right)
        return canonical(left + right)
    if type(left) is int and type(right) is int:
        return wrap_int64(left + right)
    return to_double(left) + to_double(right)


def subtract(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Subtract numbers."""
    if type(left) is int and type(right) is int:
        return wrap_int64(left - right)
    return to_double(left) - to_double(right)


def multiply(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Multiply numbers."""
    if type(left) is int and type(right) is int:
        return wrap_int64(left * right)
    return to_double(left) * to_double(right)


def divide(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Divide; always as floats."""
    divisor = to_double(right)
    if divisor == 0:
        raise render_error_at("division by zero", position)
    return to_double(left) / divisor


def raise_to(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Raise to a power whose exponent is cut to an integer; computed in floats, as the library does."""
    exponent = to_int64(right)
    if type(left) is int and exponent >= 0:
        return float_to_int64(power(float(wrap_int64(left)), exponent))
    return power(to_double(left), exponent)


def modulo(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Remainder of integers, with the sign of the dividend. The library does not define it for zero: an error here."""
    dividend, divisor = to_int64(left), to_int64(right)
    if divisor == 0:
        raise render_error_at("modulo by zero", position)
    rest = abs(dividend) % abs(divisor)
    return -rest if dividend < 0 else rest


def contains(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """Tell whether a value is among the members on the right."""
    members = values_of(right, state)
    state.charge(len(members))
    return any(equal(member, left, state) for member in members)


def is_equal(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``==``."""
    return equal(left, right, state)


def is_different(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``!=``: false for two NaN values as well."""
    return not is_unordered(left, right) and not equal(left, right, state)


def is_less(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``<``."""
    return order(left, right, state) < 0


def is_at_most(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``<=``."""
    return not is_unordered(left, right) and order(left, right, state) <= 0


def is_greater(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``>``."""
    return order(left, right, state) > 0


def is_at_least(state: RenderState, left: JsonValue, right: JsonValue, position: Position) -> JsonValue:
    """``>=``."""
    return not is_unordered(left, right) and order(left, right, state) >= 0


OPERATIONS: Final[Mapping[str, Operation]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "^": raise_to,
    "%": modulo,
    "in": contains,
    "==": is_equal,
    "!=": is_different,
    "<": is_less,
    "<=": is_at_most,
    ">": is_greater,
    ">=": is_at_least,
}
