"""Puts what is wrong with a value into words: the field, what it is, what it should be, what to do.

Values are never repeated, except a misspelt word out of a closed set: a template or a header may hold a token.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Final

from pydantic_core import ErrorDetails

from wardgate.api.kinds.http_route import REDIRECT_CODES
from wardgate.api.rules.bounds import PATTERN_MEANINGS
from wardgate.api.rules.meta import NAME_PATTERNS

_WORDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number with a fraction",
    type(None): "null",
}
_LONGEST_WORD: Final = 40


def complaint(error: ErrorDetails) -> str:
    """The rest of a sentence that begins with the field's path; without the full stop."""
    say = _BY_TYPE.get(error["type"])
    return say(error) if say is not None else "is not valid; compare it with the reference of the kind"


def _wrong_type(expected: str) -> Callable[[ErrorDetails], str]:
    def say(error: ErrorDetails) -> str:
        value = error["input"]
        return f"must be {expected}, but is {_WORDS.get(type(value), 'something else')}{_remedy(expected, value)}"

    return say


def _remedy(expected: str, value: object) -> str:
    if value is None:
        return "; fill it in"
    if expected == "a text":
        return "; put it in quotes" if isinstance(value, bool | int | float) else "; write one text"
    if expected == "a list":
        return '; begin each entry with "- "'
    if isinstance(value, str) and _is_quoted(expected, value):
        return "; remove the quotes"
    return f"; write {expected}"


def _is_quoted(expected: str, text: str) -> bool:
    return (expected == "a number" and text.isdigit()) or (expected == "true or false" and text in ("true", "false"))


def _no_duration(error: ErrorDetails) -> str:
    return "must be a duration with its unit, but is a number; write it like 2s, 500ms or 1m30s"


def _missing(error: ErrorDetails) -> str:
    return "is missing; add it"


def _no_choice(error: ErrorDetails) -> str:
    expected = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    value = error["input"]
    word = "" if isinstance(value, bool) or not isinstance(value, str | int | float) else str(value)
    near = _by_number(word, expected) or _by_spelling(word, expected)
    hint = "; write one of these" if near is None else f"; did you mean {near}?"
    shown = f", not {word}" if 0 < len(word) <= _LONGEST_WORD and word.isprintable() else ""
    return f"must be one of {', '.join(expected)}{shown}{hint}"


def _by_number(word: str, choices: list[str]) -> str | None:
    """The only choice with these digits: ``307`` is the status of TEMPORARY_REDIRECT, ``1.2`` the version TLSv1_2."""
    digits = _digits(word)
    if not digits or any(letter.isalpha() for letter in word):
        return None
    found = [name for name in choices if digits in (_digits(name), str(REDIRECT_CODES.get(name)))]
    return found[0] if len(found) == 1 else None


def _digits(word: str) -> str:
    return "".join(letter for letter in word if letter in "0123456789")


def _by_spelling(word: str, choices: list[str]) -> str | None:
    near = difflib.get_close_matches(word.upper(), [choice.upper() for choice in choices], n=1)
    return next((choice for choice in choices if choice.upper() == near[0]), None) if near else None


def _too_small(error: ErrorDetails) -> str:
    return f"must be {error['ctx']['ge']} at least; raise it"


def _too_great(error: ErrorDetails) -> str:
    return f"must be {error['ctx']['le']} at most; lower it"


def _too_long(error: ErrorDetails) -> str:
    limit = error["ctx"]["max_length"]
    unit = "characters; shorten it" if error["type"] == "string_too_long" else "entries; split the object up"
    return f"has more than {limit} {unit}"


def _too_short(error: ErrorDetails) -> str:
    return "must not be empty; fill it in"


def _pattern(error: ErrorDetails) -> str:
    meaning = (PATTERN_MEANINGS | NAME_PATTERNS)[error["ctx"]["pattern"]]
    return f"must be {meaning}; correct it"


_BY_TYPE: Final[Mapping[str, Callable[[ErrorDetails], str]]] = {
    "missing": _missing,
    "string_type": _wrong_type("a text"),
    "int_type": _wrong_type("a number"),
    "bool_type": _wrong_type("true or false"),
    "dict_type": _wrong_type("an object"),
    "model_type": _wrong_type("an object"),
    "tuple_type": _wrong_type("a list"),
    "literal_error": _no_choice,
    "bare_duration": _no_duration,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_great,
    "string_too_long": _too_long,
    "too_long": _too_long,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_pattern_mismatch": _pattern,
}
