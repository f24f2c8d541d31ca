"""Strangers' text as it may be shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.printable import printable, printable_json, printable_lines, printable_output

ANY_TEXT = st.text(alphabet=st.characters())
"""Of every code point there is, lone surrogates too."""


@given(ANY_TEXT)
def test_what_is_shown_is_graphic_whatever_the_text(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    shown.encode()


@given(ANY_TEXT)
def test_lines_stay_lines(text: str) -> None:
    assert printable_lines(text).split("\n") == [printable(line) for line in text.split("\n")]


@given(st.dictionaries(ANY_TEXT, ANY_TEXT))
def test_json_is_shown_whole_and_graphic(value: dict[str, str]) -> None:
    text = printable_json(value)
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, grün, 鍵 and 🔑", "plain, grün, 鍵 and 🔑"),
        ("\x1b[2J\x07\x7f\x9b1m", "\\x1b[2J\\x07\\x7f\\x9b1m"),
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\u202egpj.exe\u2066\u2028\u2029\x85", "\\u202egpj.exe\\u2066\\u2028\\u2029\\x85"),
        ("in\u200bvisible\ufeff", "in\\u200bvisible\\ufeff"),
        ("\udcff\U000e0041", "\\udcff\\U000e0041"),
    ],
)
def test_what_is_not_graphic_is_escaped_as_python_writes_it(text: str, expected: str) -> None:
    assert printable(text) == expected


def test_a_programs_own_colours_stay_and_all_other_sequences_go() -> None:
    text = "\x1b[1;31merror\x1b[0m: \x1b]8;;http://evil\x1b\\x\x1b[3J\nnext"
    assert printable_output(text) == "\x1b[1;31merror\x1b[0m: \\x1b]8;;http://evil\\x1b\\x\\x1b[3J\nnext"
