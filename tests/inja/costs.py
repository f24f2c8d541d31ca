"""The dearest uses of every part of the template language, in any size.

``test_costs`` looks at what they are charged, ``benchmarks/template_costs.py`` at the time that they take.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from wardgate.inja.values import JsonValue

_LETTERS = ("a", " ", "é", "中", "😀", "\udcff")
"""Every width in which CPython stores a text, and a byte that is no UTF-8."""
_OF_ONE_TEXT = (
    *("length(t)", "lower(t)", "upper(t)", "trim(t)", "word_count(t)", "raw_string(t)", "base64_encode(t)"),
    *("base64url_encode(t)", "base64_decode(t)", "base64url_decode(t)", "substring(t, 1)", "substring(t, 9999999)"),
    *("header(t)", "request_header(t)", "env(t)", "extraction(t)", "data_source(t)", "exists(t)", "existsIn(o, t)"),
    *('t + ""', "t + u", "t < u", 'join(l, ",")', "join(l, t)", 'dynamic_metadata(t, "ns", ":")'),
    *('cluster_metadata(t, "ns", "aaab")', "host_metadata(t)", "clusterMetadata(t)", "default(t, u) + u"),
)
_SPECIAL = (
    *(("exists(t)", text) for text in ("a.", "/", ".", "~1")),
    *(("word_count(t)", text) for text in ("a ", "é ")),
    *(("raw_string(t)", text) for text in ('"', "\x01")),
    *(("lower(t)", text) for text in ("A", "Éa")),
    *(('dynamic_metadata(t, "ns", ":")', text) for text in (":", ":a")),
    *(("float(t)", text) for text in ("1", "11.", "0")),
    ("int(t)", "0"),
)
_OF_CONTAINERS = (
    *("sort(l)", "max(l)", "min(l)", "l == m", "l < m", "d == d", "d < d", '"none" in l', '"none" in d'),
    *('join(l, "")', "word_count(l)", "word_count(d)", "first(d)", "last(d)", "[1, 2] in l", 'dynamic_metadata("l")'),
)
_OF_NO_SIZE = (
    *("1 + 2 * 3", "i + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8", "not (true and false or i > 3)", "2.5 ^ 30 / 7 - 1"),
    *("i % 3 != 1", "i <= 3", "i >= 3", "round(2.567, 2)", "default(nothing, 1)", "at([1, 2], 1)", "a.b.c.d.e.f.g.h"),
    *("divisibleBy(i, 3)", "even(i)", "odd(i)", "isArray(i)", "isBoolean(i)", "isFloat(i)", "isInteger(i)"),
    *("isNumber(i)", "isObject(i)", "isString(i)", "length(body())", "length(context())"),
)


@dataclass(frozen=True)
class Cost:
    """An expression and the data it works on."""

    expression: str
    data: dict[str, JsonValue]

    @property
    def template(self) -> str:
        """Do it once."""
        return f"{{% set x = {self.expression} %}}"

    @property
    def loop(self) -> str:
        """Do it again and again."""
        return f"{{% for i in range(20000) %}}{self.template}{{% endfor %}}"


def constant_costs() -> Iterator[Cost]:
    """Templates that cost the same whatever the data is."""
    value: JsonValue = 1
    for name in "hgfedcb":
        value = {name: value}
    for expression in _OF_NO_SIZE:
        yield Cost(expression, {"a": value, "i": 7})


def growing_costs(*, size: int) -> Iterator[Cost]:
    """Templates that cost more the larger the data is; ``size`` is 1 or more, a text of size 1 has 4 KiB."""
    yield from _of_texts(size * 4096)
    yield from _of_searches(size * 1000)
    yield from _of_containers(size * 60)
    for count in (size * 100, size * 1000):
        yield Cost(f"range({count})", {})
        yield Cost(f"sort(range({count}))", {})


def _of_texts(length: int) -> Iterator[Cost]:
    cases = [(expression, letter) for expression in _OF_ONE_TEXT for letter in _LETTERS]
    for expression, unit in (*cases, *_SPECIAL):
        text = (unit * length)[:length]
        yield Cost(expression, {"t": text, "u": (unit * length)[:length], "o": {}, "l": [text] * 4})
    for expression in ("int(t)", "float(t)"):
        yield Cost(expression, {"t": " " * length + "1"})
    yield Cost("float(t)", {"t": "0x1." + "f" * length})


def _of_searches(length: int) -> Iterator[Cost]:
    for pattern in ("aa", "a" * 99, "a" * 49 + "b", "b" + "a" * 49, "a" * 500):
        yield Cost("replace_with_random(t, p)", {"t": "a" * length, "p": pattern})


def _of_containers(length: int) -> Iterator[Cost]:
    random_words = random.Random(8)

    def word(count: int) -> str:
        return "".join(random_words.choices("abcdefgh", k=count))

    members: list[list[JsonValue]] = [
        [random_words.randrange(10**6) for _ in range(length)],
        [word(12) for _ in range(length)],
        [f"é{word(12)}" for _ in range(length)],
        ["x" * 900 + word(12) for _ in range(length)],
        ["é" * 900 + word(12) for _ in range(length)],
        [[[[1.5]], word(3)] for _ in range(length)],
    ]
    for values in members:
        by_name: JsonValue = {str(key): value for key, value in enumerate(values)}
        for expression in _OF_CONTAINERS:
            yield Cost(expression, {"l": values, "m": list(values), "d": by_name})
    for keys in (*members[1:5], [*members[3], *members[4]]):
        yield Cost("first(o)", {"o": {str(key): 1 for key in keys}})
        yield Cost("o < o", {"o": {str(key): 1 for key in keys}})
