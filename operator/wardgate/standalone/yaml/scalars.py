"""The meaning of a plain YAML scalar to Kubernetes.

``kubectl`` reads YAML 1.1 with a few habits of its own: ``yes``, ``on`` and ``y`` are booleans, a leading zero means
octal, dates stay text, base-60 numbers do not exist, ``80.0`` is an integer. A folder that is read by other rules would
behave differently from the same folder applied to a cluster, so the rules are written down here. Quoted scalars are
always text and never come here.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], float("nan")),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], float("inf")),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], float("-inf")),
}
_NUMERIC_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_LONGEST_INTEGER = 40
"""Digits. Longer ones become floats: no field takes them, and Python reads them in quadratic time."""

_LARGEST_WHOLE = 1e21
"""From here on Go writes a float with an exponent."""


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar; what is nothing else is text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    plain = text.replace("_", "")
    number = _integer(plain)
    if number is not None:
        return number
    return whole(float(plain)) if _FLOAT.match(plain) else text


def whole(number: float) -> int | float:
    """A float without a fraction is an integer once ``kubectl`` has written it as JSON (``80.0``, ``1e3``)."""
    return int(number) if abs(number) < _LARGEST_WHOLE and number.is_integer() else number


def _integer(text: str) -> int | None:
    if len(text) > _LONGEST_INTEGER:
        return None
    match = _INTEGER.match(text)
    if match is None:
        return None
    sign = -1 if text.startswith("-") else 1
    for base, group in ((16, "hex"), (2, "bin"), (8, "oct")):
        if (digits := match[group]) is not None:
            return sign * int(digits, base)
    return int(text)
