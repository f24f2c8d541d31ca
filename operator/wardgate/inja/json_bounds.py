"""Parses a JSON text within limits on bytes, values, levels and memory, all checked before anything is built.

A text is measured at the speed of C. Every value but the outermost stands behind one of ``[ { , :``, and so does every
key. Counting these characters never counts too few, only too many where they stand within strings. The exact count
removes the strings first, and is made only if the quick one is high.
"""

from __future__ import annotations

from itertools import accumulate, count
from operator import sub
from sys import getsizeof
from typing import Final, NamedTuple

from wardgate.inja.errors import JsonTooComplexError, JsonTooLargeError
from wardgate.inja.jsontext import decode, parse
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.values import JsonValue, Meter

MEMORY_FACTOR: Final = 8
"""Parsing takes at most this many times the memory of the longest allowed text."""
_VALUE_MEMORY: Final = 120
"""Bytes that a value takes at most by itself: an object with one member takes 240 for its two marks."""
_SMALL: Final = 1024
"""Bytes. A shorter text cannot be much work, so each of its bytes counts as a value."""
_FEW: Final = 4096
"""Up to this number of values no exact count is made."""
_MARKS: Final = b"[{,:"
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_TWO_UP: Final = bytes(2 if byte in b"[{" else 0 for byte in range(256))


class Loaded(NamedTuple):
    """A value, and an upper bound of the number of values and keys in it."""

    value: JsonValue
    values: int


def load(body: bytes, *, limits: TemplateLimits, meter: Meter) -> Loaded:
    """Parse a JSON text.

    Raises ``JsonTextError`` for a text that is not JSON, ``JsonTooLargeError`` and ``JsonTooComplexError`` for one
    beyond the limits, ``LimitError`` if the meter has nothing left.
    """
    if len(body) > limits.json_bytes:
        msg = f"The JSON text is longer than {limits.json_bytes} bytes."
        raise JsonTooLargeError(msg)
    if len(body) <= min(_SMALL, limits.json_values) and _brackets(body) <= limits.value_depth:
        meter.charge(len(body))
        return Loaded(parse(decode(body)), len(body))
    end = body.find(b"\0")
    text = body if end < 0 else body[:end]
    meter.charge(1 + (len(body) >> 7) + (text.count(b"\\") >> 5))
    values = weigh(text, limits=limits, meter=meter)
    meter.charge(2 * values if b"\\u" in text else values)
    source = decode(body)
    # Once for the text and once for its strings, which are all of it at worst.
    if 2 * getsizeof(source) + values * _VALUE_MEMORY > MEMORY_FACTOR * limits.json_bytes:
        msg = f"The JSON text would take more than {MEMORY_FACTOR * limits.json_bytes} bytes of memory."
        raise JsonTooComplexError(msg)
    return Loaded(parse(source), values)


def weigh(text: bytes, *, limits: TemplateLimits, meter: Meter) -> int:
    """Return an upper bound of the values and keys. Raises ``JsonTooComplexError``, also for too many levels."""
    values = _count(text, _MARKS)
    if values <= min(_FEW, limits.json_values) and _brackets(text) <= limits.value_depth:
        return values
    text = _outside_of_strings(text, limits=limits, meter=meter)
    values = _count(text, _MARKS)
    if values > limits.json_values:
        raise _too_many(limits)
    if _depth(text, meter) > limits.value_depth:
        msg = f"The JSON value is nested more than {limits.value_depth} levels deep."
        raise JsonTooComplexError(msg)
    return values


def _brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _count(text: bytes, characters: bytes) -> int:
    return len(text) - len(text.translate(None, characters))


def _outside_of_strings(text: bytes, *, limits: TemplateLimits, meter: Meter) -> bytes:
    # Pairs of backslashes first: a quote behind what is then left of a run is an escaped one.
    bare = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = bare.count(b'"')
    if quotes > 2 * limits.json_values + 2:
        raise _too_many(limits)
    meter.charge((len(text) >> 8) + (quotes >> 3))
    return b"".join(bare.split(b'"')[::2])


def _depth(text: bytes, meter: Meter) -> int:
    """Return the greatest number of brackets that are open at once."""
    brackets = text.translate(_TWO_UP, _NO_BRACKETS)
    # A text with more closing brackets than opening ones is wrong before its last one.
    brackets = brackets[: 2 * brackets.count(b"\x02")]
    meter.charge(len(brackets) >> 3)
    # Two up for each opening bracket, one down for each bracket: the sum is what is open.
    return max(map(sub, accumulate(brackets), count(1)), default=0)


def _too_many(limits: TemplateLimits) -> JsonTooComplexError:
    return JsonTooComplexError(f"The JSON text has more than {limits.json_values} values and keys.")
