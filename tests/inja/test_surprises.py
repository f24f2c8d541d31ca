"""The table of surprises of the compatibility notes, row by row."""

from __future__ import annotations

import pytest

from tests.inja.rendering import error_of, render
from wardgate.inja.values import JsonValue


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ("{{ huggingface-api-key }}", {"huggingface-api-key": "k"}, "k"),
        ("{{ x - y }}", {"x": 3, "y": 1}, "2"),
        ("{{ $x }}{{ @y }}{{ _z }}", {"$x": 1, "@y": 2, "_z": 3}, "123"),
        ("{% if e %}true{% else %}false{% endif %}", {"e": ""}, "true"),
        ("{% if e %}true{% else %}false{% endif %}", {"e": []}, "false"),
        ("{% if e %}true{% else %}false{% endif %}", {"e": {}}, "false"),
        ("{% if e %}true{% else %}false{% endif %}", {"e": 0}, "false"),
        ("{% if e %}true{% else %}false{% endif %}", {"e": None}, "false"),
        ('{{ default(e, "d") }}', {"e": ""}, ""),
        ('{{ default(e, "d") }}', {"e": None}, ""),
        ('{{ default(e, "d") }}', {}, "d"),
        ('{{ exists("a.b") }}{{ exists("a.c") }}', {"a": {"b": None}}, "truefalse"),
        ("{{ 8 / 2 }}", {}, "4.0"),
        ("{{ 7 / 2 }}", {}, "3.5"),
        ("{{ x }}", {"x": 1e20}, "1e+20"),
        ("{{ x }}", {"x": 2.0}, "2.0"),
        ("{{ x }}", {"x": True}, "true"),
        ("{{ x }}", {"x": None}, ""),
        ("{{ x }}", {"x": {"b": 1, "a": "s"}}, '{"a":"s","b":1}'),
        ('{{ {"a": 1, "a": 2} }}', {}, '{"a":2}'),
        ("{{ l.1 }}", {"l": [1, 2]}, "2"),
        ("{{ x }}", [1, 2], None),
        ("ok", [1, 2], "ok"),
        ("{{ x }}", {"x": 2**64 - 1}, "-1"),
    ],
)
def test_row(source: str, data: JsonValue, expected: str | None) -> None:
    if expected is None:
        assert error_of(source, data)[0] == "render"
    else:
        assert expected == render(source, data)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ x-y }}", "[inja.exception.render_error] (at 1:4) variable 'x-y' not found"),
        ("{{ x/y }}", "[inja.exception.render_error] (at 1:4) variable 'x/y' not found"),
        ("{{ missing }}", "[inja.exception.render_error] (at 1:4) variable 'missing' not found"),
        ("{% if missing %}{% endif %}", "[inja.exception.render_error] (at 1:7) variable 'missing' not found"),
        ('{% include "/etc/passwd" %}', "[inja.exception.render_error] (at 1:12) include '/etc/passwd' not found"),
        ('{% extends "x" %}', "[inja.exception.render_error] (at 1:12) extends 'x' not found"),
    ],
)
def test_row_is_a_rendering_error(source: str, expected: str) -> None:
    assert error_of(source, {"x": 1, "y": 2}) == ("render", expected)


@pytest.mark.parametrize("source", ["{{ 'single' }}", '{{ a["b"] }}'])
def test_row_is_a_syntax_error(source: str) -> None:
    assert error_of(source, {"a": {"b": 1}})[0] == "parse"


def test_body_without_parentheses_is_the_raw_body() -> None:
    assert render("{{ body }}", {}, raw_body="raw") == "raw"


def test_field_named_body_hides_the_raw_body() -> None:
    assert render("{{ body }}", {"body": "field"}, raw_body="raw") == "field"


def test_pointer_notation_takes_dots_literally_and_walks_at_slashes() -> None:
    data: JsonValue = {"a.b": 1, "a": {"b": 2}, "c/d": 3, "e~f": 4}
    assert render("{{ a.b }}{{ a/b }}{{ c~1d }}{{ e~0f }}", data, advanced=True) == "1234"


def test_escaping_touches_only_strings_printed_by_themselves() -> None:
    assert render("{{ s }}{{ o }}", {"s": '"', "o": {"k": '"'}}, escape=True) == '\\"{"k":"\\""}'
