"""Regular expressions of routes: RE2's own syntax, matched against the whole value.

Header, query and path matchers of the Gloo API are RE2 expressions, unlike the extractors' ECMAScript ones. ``sub``
implements ``regexRewrite``: every match is replaced, ``\\1`` to ``\\9`` are groups, ``\\0`` is the match, ``\\\\`` a
backslash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wardgate.inja.budget import StepBudget
from wardgate.inja.engines import Match, Re2Regex, compile_re2
from wardgate.inja.errors import ConfigError, LimitError
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.text_codec import from_bytes, to_bytes

_STEPS_OF_SEARCH: Final = 12
_CELLS_SHIFT: Final = 6
"""A step is worth two to the power of this, in instructions times bytes."""


@dataclass(frozen=True, slots=True)
class RouteRegex:
    """A compiled expression of a route."""

    pattern: str
    _regex: Re2Regex
    _longest: int
    _steps: int

    def fullmatch(self, text: str) -> bool:
        """Tell whether the whole text matches. Raises ``LimitError`` if that might take too long."""
        content = to_bytes(text)
        if len(content) > self._longest:
            msg = f"A value of {len(content)} bytes is too long for a route's regex; it takes up to {self._longest}."
            raise LimitError(msg)
        return self._regex.fullmatch(content) is not None

    def check_substitution(self, substitution: str) -> None:
        """Refuse a substitution that ``sub`` cannot carry out. Raises ``ConfigError``."""
        _read_substitution(substitution, self._regex.groups)

    def sub(self, substitution: str, text: str) -> str:
        """Replace every match. Raises ``ConfigError`` for a bad substitution, ``LimitError`` for too much work."""
        budget = StepBudget(self._steps)
        parts = _read_substitution(substitution, self._regex.groups)
        value = to_bytes(text)
        pieces: list[bytes] = []
        position = copied = 0
        last_end = -1
        while position <= len(value):
            # A search may look at all that is left, whether or not it finds something.
            budget.charge(_STEPS_OF_SEARCH + ((len(value) - position) * self._regex.programsize >> _CELLS_SHIFT))
            match = self._regex.search(value, position)
            if match is None:
                break
            begin, end = match.span()
            if begin == end == last_end:
                position += 1  # no empty match right behind the match before it
                continue
            pieces += (value[copied:begin], *(_expanded(part, match, value=value) for part in parts))
            position = copied = last_end = end
        pieces.append(value[copied:])
        return from_bytes(b"".join(pieces))


def compile_route_regex(pattern: str, *, limits: TemplateLimits = DEFAULT_LIMITS) -> RouteRegex:
    """Compile an expression of a route. Raises ``ConfigError``."""
    try:
        content = to_bytes(pattern)
        if len(content) > limits.regex_bytes:
            msg = f"it is longer than {limits.regex_bytes} bytes"
            raise ConfigError(msg)
        regex = compile_re2(content, limits=limits, latin1=False)
        return RouteRegex(pattern, regex, limits.regex_work // max(regex.programsize, 1), limits.steps)
    except ConfigError as error:
        msg = f"Invalid regex '{pattern}': {error.message}"
        raise ConfigError(msg) from error
    except UnicodeEncodeError as no_text:
        msg = "Invalid regex: it holds a character that is no text"
        raise ConfigError(msg) from no_text


def _read_substitution(substitution: str, groups: int) -> list[bytes | int]:
    parts: list[bytes | int] = []
    rest = to_bytes(substitution)
    while rest:
        before, backslash, after = rest.partition(b"\\")
        parts.append(before)
        if not backslash:
            break
        escaped, rest = after[:1], after[1:]
        if escaped == b"\\":
            parts.append(b"\\")
        elif escaped.isdigit() and int(escaped) <= groups:
            parts.append(int(escaped))
        else:
            msg = (
                f"Invalid substitution '{substitution}': a backslash must be followed by a backslash "
                f"or by the number of one of the {groups} groups"
            )
            raise ConfigError(msg)
    return parts


def _expanded(part: bytes | int, match: Match, *, value: bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    start, end = match.span(part)
    return value[start:end] if start >= 0 else b""
