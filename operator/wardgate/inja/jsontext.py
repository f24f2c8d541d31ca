"""Reads and writes JSON text, byte for byte as nlohmann::json does.

Reading: integers beyond 64 bits become floats; a float beyond the range of doubles is an error; of equal keys the last
one counts; text that is not UTF-8 (lone surrogates too) is refused; a NUL ends the text. Writing: sorted keys, no
spaces, the shortest floats that read back the same, ``null`` for NaN and infinities. ``json`` of the standard library
does the heavy work; this module corrects the differences.
"""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring
from math import isfinite
from typing import Final

from wardgate.inja.errors import REDACTED, LimitError, RenderError
from wardgate.inja.values import INT64_MAX, INT64_MIN, JsonValue, Meter, sorted_keys

_UINT64_MAX: Final = 2 * INT64_MAX + 1
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE: Final = re.compile(r"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F])")
_PLACED: Final = 1 << 18
"""Characters. A longer text's error has no position if finding that takes a second pass: it would cost a second parse.

"""
_FLOAT_TO_CORRECT: Final = re.compile(r"\.(?<=[0-9]{16}\.)")
"""Begins with the rare character: sixteen digits first would examine every run of digits sixteen times."""
DEFAULT_DEPTH: Final = 256


class JsonTextError(ValueError):
    """The text is not JSON as the library reads it; the message is worded like the library's.

    ``sealed`` is the message without quotations of the text.
    """

    def __init__(self, message: str, sealed: str = "") -> None:
        super().__init__(message)
        self.sealed = sealed or message


def loads(text: str | bytes, *, max_depth: int = DEFAULT_DEPTH) -> JsonValue:
    """Parse one JSON text. Raises ``JsonTextError``."""
    try:
        value = parse(decode(text))
    except RecursionError as error:
        raise JsonTextError(_too_deep(max_depth)) from error
    _check_depth(value, max_depth)
    return value


def decode(text: str | bytes) -> str:
    """Check the characters of a JSON text. Raises ``JsonTextError`` if they are not UTF-8."""
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError as ill_formed:
            before = text[: ill_formed.start].decode()
            raise JsonTextError(_syntax(_place(before, len(before)), "ill-formed UTF-8 byte")) from ill_formed
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise JsonTextError(_syntax(_place(text, error.start), "ill-formed UTF-8 byte")) from error
    return text


def parse(text: str) -> JsonValue:
    """Parse a text whose characters were checked. Raises ``JsonTextError``, and ``RecursionError`` for a deep one."""
    source = text.removeprefix("\ufeff").partition("\0")[0]
    try:
        value: JsonValue = _DECODER.decode(source)
        if _SURROGATE.search(source) and _has_lone_surrogate(value):
            place = _place_of_lone_surrogate(source)
            raise JsonTextError(_syntax(place, "invalid string: a surrogate must be one of a pair"))
    except _ConstantError as constant:
        msg = _syntax(_place_of_constant(source), "invalid literal; last read: '{}'")
        raise JsonTextError(msg.format(constant.name), msg.format(REDACTED)) from constant
    except JsonTextError:
        raise
    except ValueError as error:
        raise JsonTextError(_describe(error)) from error
    return value


def dumps(value: JsonValue, meter: Meter | None = None) -> str:
    """Write a value that came from ``loads`` as compact JSON. Raises ``RenderError`` on strings that are not UTF-8."""
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except UnicodeEncodeError as no_text:
        raise _invalid_utf8() from no_text
    except ValueError:
        return _write(value, meter, max_bytes=None)
    except RecursionError as too_deep:
        raise RenderError(_too_deep(DEFAULT_DEPTH)) from too_deep
    return _write(value, meter, max_bytes=None) if _FLOAT_TO_CORRECT.search(text) else text


def dump_within(value: JsonValue, meter: Meter, *, max_bytes: int) -> str:
    """Write any value as compact JSON; raise ``LimitError`` as soon as the text is too long or too much work."""
    return _write(value, meter, max_bytes=max_bytes)


def quote(text: str) -> str:
    """Write a string as JSON, quotes included. Raises ``RenderError`` if it is not UTF-8."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _invalid_utf8() from error
    return encode_basestring(text)


def format_double(number: float) -> str:
    """Write a float: in full from 1e-4 to below 1e15, else like ``1.5e+15``; always with a point or an exponent."""
    if not isfinite(number):
        return "null"
    text = repr(number)
    if 1e15 <= abs(number) < 1e16:
        digits = text.lstrip("-").removesuffix(".0")
        mantissa = digits.replace(".", "").rstrip("0")
        tail = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
        return f"{'-' if number < 0 else ''}{mantissa[0]}{tail}e+15"
    return text


def _parse_int(digits: str) -> int | float:
    if len(digits) <= 20:
        number = int(digits)
        if INT64_MIN <= number <= _UINT64_MAX:
            return number
    return _parse_float(digits)


def _parse_float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        msg = "[json.exception.out_of_range.406] number overflow parsing '{}'"
        raise JsonTextError(msg.format(digits[:40]), msg.format(REDACTED))
    return number


class _ConstantError(ValueError):
    """``NaN``, ``Infinity`` or ``-Infinity``, which Python accepts and JSON does not."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _refuse_constant(name: str) -> None:
    raise _ConstantError(name)


_DECODER: Final = json.JSONDecoder(parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant)
_MISSPELT: Final = json.JSONDecoder(strict=False, parse_int=float)
_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)


def _syntax(place: str, text: str) -> str:
    return f"[json.exception.parse_error.101] parse error{place}: syntax error while parsing value - {text}"


def _place(text: str, index: int) -> str:
    """The position of the character at ``index``, line and column from 1, as in the errors of ``json``."""
    line_start = text.rfind("\n", 0, index) + 1
    return f" at line {text.count(chr(10), 0, index) + 1}, column {index - line_start + 1}"


def _place_of_constant(source: str) -> str:
    """The position of the first ``NaN`` or ``Infinity`` outside a string, which ``json`` does not tell.

    In a second pass with misspelt names the constant is the first error: the text before it was read without one, and
    within strings control characters are accepted.
    """
    if len(source) > _PLACED:
        return ""
    try:
        _MISSPELT.decode(source.replace("NaN", "\1aN").replace("Infinity", "\1nfinity"))
    except json.JSONDecodeError as error:
        return _place(source, error.pos)
    return ""


def _place_of_lone_surrogate(source: str) -> str:
    # Pairs of backslashes first: what is left of a run begins an escape.
    found = _LONE_SURROGATE.search(source.replace("\\\\", "__")) if len(source) <= _PLACED else None
    return "" if found is None else _place(source, found.start())


def _describe(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return _syntax(f" at line {error.lineno}, column {error.colno}", error.msg.lower())
    return str(error)


def _too_deep(max_depth: int) -> str:
    return f"The JSON value is nested more than {max_depth} levels deep."


def _check_depth(value: JsonValue, max_depth: int) -> None:
    level = [value] if isinstance(value, list | dict) else []
    depth = 0
    while level:
        depth += 1
        if depth > max_depth:
            raise JsonTextError(_too_deep(max_depth))
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, list | dict)
        ]


def _has_lone_surrogate(value: JsonValue) -> bool:
    """Python accepts a lone ``\\ud800``; the library calls it ill-formed."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and not one.isascii():
            try:
                one.encode()
            except UnicodeEncodeError:
                return True
    return False


def _invalid_utf8() -> RenderError:
    return RenderError("[json.exception.type_error.316] invalid UTF-8 byte in a string to be written as JSON")


class _JsonWriter:
    """Collects the pieces of one JSON text and counts them."""

    __slots__ = ("_max_bytes", "_meter", "_size", "pieces")

    def __init__(self, meter: Meter | None, max_bytes: int | None) -> None:
        self.pieces: list[str] = []
        self._meter = meter
        self._max_bytes = max_bytes
        self._size = 0

    def enter(self, members: int) -> None:
        if self._meter is not None:
            self._meter.charge(1 + 3 * members)

    def text(self, text: str) -> str:
        if self._meter is not None:
            self._meter.charge(len(text) >> 5)
        return quote(text)

    def add(self, piece: str) -> None:
        self.pieces.append(piece)
        self._size += len(piece)
        if self._max_bytes is not None and self._size > self._max_bytes:
            msg = f"A value written as JSON is longer than {self._max_bytes} bytes."
            raise LimitError(msg)

    def scalar(self, value: str | float | None) -> None:
        if type(value) is str:
            self.add(self.text(value))
        elif type(value) is float:
            self.add(format_double(value))
        elif value is None:
            self.add("null")
        else:
            self.add(str(value).lower())

    def value(self, value: JsonValue) -> None:
        if isinstance(value, dict):
            self.enter(len(value))
            separator = "{"
            for key in sorted(value) if self._meter is None else sorted_keys(value, self._meter):
                self.add(f"{separator}{self.text(key)}:")
                self.value(value[key])
                separator = ","
            self.add("}" if value else "{}")
        elif isinstance(value, list):
            self.enter(len(value))
            separator = "["
            for member in value:
                self.add(separator)
                self.value(member)
                separator = ","
            self.add("]" if value else "[]")
        else:
            self.scalar(value)


def _write(value: JsonValue, meter: Meter | None, *, max_bytes: int | None) -> str:
    writer = _JsonWriter(meter, max_bytes)
    writer.value(value)
    return "".join(writer.pieces)
