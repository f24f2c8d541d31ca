"""Puts what is wrong with a value into words: the field, what it is, what it should be, what to do.

Values are never repeated, except a misspelt word out of a closed set: a template or a header may hold a token.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Final

from pydantic_core import ErrorDetails

from wardgate.api.bounds import PATTERN_MEANINGS
from wardgate.api.meta import NAME_PATTERNS

_QUOTE: Final = "; put it in quotes"
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
        return "; remove it or fill it in"
    if expected == "a text":
        return _QUOTE if isinstance(value, bool | int | float) else "; write one text"
    if expected == "a list":
        return '; begin each entry with "- "'
    if isinstance(value, str) and _is_quoted(expected, value):
        return "; remove the quotes"
    return f"; write {expected}"


def _is_quoted(expected: str, text: str) -> bool:
    return (expected == "a number" and text.isdigit()) or (expected == "true or false" and text in ("true", "false"))


def _missing(error: ErrorDetails) -> str:
    return "is missing; add it"


def _no_choice(error: ErrorDetails) -> str:
    expected = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    value = error["input"]
    if not isinstance(value, str):
        return f"must be one of {', '.join(expected)}{_QUOTE if isinstance(value, bool | int) else ''}"
    near = difflib.get_close_matches(value.upper(), [choice.upper() for choice in expected], n=1)
    hint = "; write one of these"
    if near:
        hint = f"; did you mean {next(choice for choice in expected if choice.upper() == near[0])}?"
    shown = f", not {value}" if len(value) <= _LONGEST_WORD and value.isprintable() else ""
    return f"must be one of {', '.join(expected)}{shown}{hint}"


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
    "greater_than_equal": _too_small,
    "less_than_equal": _too_great,
    "string_too_long": _too_long,
    "too_long": _too_long,
    "string_too_short": _too_short,
    "too_short": _too_short,
    "string_pattern_mismatch": _pattern,
}
