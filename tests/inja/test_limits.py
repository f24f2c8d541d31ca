"""No template stalls or exhausts a worker: every bound, by what would break without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.inja.rendering import render
from tests.inja.static_context import StaticContext
from wardgate.inja.errors import LimitError, ParseError, TemplateError
from wardgate.inja.errors import RenderError as RenderingError
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import dumps as dumps_json
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.limits import DEFAULT_LIMITS, TemplateLimits
from wardgate.inja.template import compile_template
from wardgate.inja.values import JsonValue

_DOUBLING = '{% set s = "aaaaaaaaaaaaaaaa" %}{% for i in range(100) %}{% set s = s + s %}{% endfor %}'


@pytest.mark.parametrize(
    "source",
    [
        "{{ range(1000000000) }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
        _DOUBLING,
        "{% for i in range(99999) %}{% set x = 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 %}{% endfor %}",
        "{% set a.1000000000 = 1 %}",
        "{% set a.x = 1 %}{% for i in range(9999) %}{% set a.x = a %}{% set a.y = a %}{% endfor %}",
        "{% for i in range(9999) %}{{ sort(range(999)) }}{% endfor %}",
        "{% for i in range(9999) %}{{ 1 in range(9999) }}{% endfor %}",
        '{% for i in range(9999) %}{{ join(range(9999), "") == "" }}{% endfor %}',
        "{% for i in range(9999) %}{{ max(range(9999)) }}{% endfor %}",
        "{% set l = range(9999) %}{% set m = range(9999) %}{% for i in range(9999) %}{{ l == m }}{% endfor %}",
        "{% set l = range(9999) %}{% set m = range(9999) %}{% for i in range(9999) %}{{ l < m }}{% endfor %}",
        "{% set l = range(9999) %}{% for i in range(9999) %}{% set k = l %}{% set l.0 = i %}{% endfor %}",
        "{% set a.x = 1 %}{% for i in range(300) %}{% set b.x = a %}{% set a = b %}{% endfor %}",
        f"{{% set a{'.a' * 70} = 1 %}}",
    ],
)
def test_work_is_bounded(source: str) -> None:
    with pytest.raises(LimitError):
        render(source)


@pytest.mark.parametrize(
    "call",
    [
        "upper(big)",
        "big + big",
        "trim(big)",
        "base64_encode(big)",
        "substring(big, 1)",
        "length(big)",
        "word_count(big)",
    ],
)
def test_work_on_large_strings_is_bounded(call: str) -> None:
    source = f"{{% for i in range(9999) %}}{{% set x = {call} %}}{{% endfor %}}"
    with pytest.raises(LimitError):
        render(source, {"big": "a" * 100_000})


def test_equal_large_strings_are_compared_within_bounds() -> None:
    with pytest.raises(LimitError):
        render("{% for i in range(9999) %}{{ a == b }}{% endfor %}", {"a": "x" * 1_000_000, "b": "x" * 999_999 + "y"})


def test_output_is_bounded() -> None:
    limits = TemplateLimits(output_bytes=10)
    assert render("{{ x }}", {"x": "0123456789"}, limits=limits) == "0123456789"
    with pytest.raises(LimitError, match="10 bytes"):
        render("{{ x }}", {"x": "0123456789a"}, limits=limits)


def test_output_is_bounded_on_the_short_way_too() -> None:
    limits = TemplateLimits(output_bytes=40)
    assert render("a" * 20 + "{{ x }}", {"x": "b"}, limits=limits) == "a" * 20 + "b"
    with pytest.raises(LimitError, match="40 bytes"):
        render("a" * 40 + "{{ x }}", {"x": "b"}, limits=limits)


def test_output_is_counted_in_bytes() -> None:
    limits = TemplateLimits(output_bytes=9)
    with pytest.raises(LimitError):
        render("{{ x }}", {"x": "\u20ac" * 4}, limits=limits)


def test_value_written_as_json_is_bounded() -> None:
    with pytest.raises(LimitError, match="written as JSON"):
        render("{{ x }}", {"x": ["abcdef"] * 3}, limits=TemplateLimits(output_bytes=20))


def test_template_text_is_bounded() -> None:
    with pytest.raises(ParseError, match="longer than 65536 bytes"):
        compile_template("a" * 65537, name="t")
    assert render("a" * 65536) == "a" * 65536


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "(" * 65 + "1" + ")" * 65 + " }}",
        "{{ " + "upper(" * 65 + '"a"' + ")" * 65 + " }}",
        "{{ 2" + " ^ 2" * 100 + " }}",
        "{{ " + "[" * 65 + "]" * 65 + " }}",
        "{% if true %}" * 65,
        "{% for x in l %}" * 65,
        "{% block b %}" + "".join(f"{{% block b{i} %}}" for i in range(65)),
        "{% if 0 %}" + "{% else %}a{% else if 0 %}" * 70 + "{% endif %}",
    ],
)
def test_nesting_is_bounded(source: str) -> None:
    with pytest.raises(ParseError, match="nested more than"):
        compile_template(source, name="t")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ " + "(" * 50 + "1" + ")" * 50 + " }}", "1"),
        ("{{ 0" + " + 1" * 9_000 + " }}", "9000"),
        ("{{ true" + " and true" * 5_000 + " }}", "true"),
        ("{% if true %}" * 64 + "x" + "{% endif %}" * 64, "x"),
    ],
)
def test_what_is_long_but_not_deep_is_fine(source: str, expected: str) -> None:
    assert render(source) == expected


def test_bounds_can_be_raised() -> None:
    source = "{% for i in range(200000) %}{% endfor %}ok"
    assert render(source, limits=replace(DEFAULT_LIMITS, steps=1_000_000)) == "ok"


def rendered_or_refused(source: str, data: JsonValue, *, limits: TemplateLimits) -> str:
    try:
        return render(source, data, limits=limits)
    except LimitError as error:
        return str(error)


def test_recursion_error_never_escapes() -> None:
    deep = replace(DEFAULT_LIMITS, nesting=100_000, value_depth=100_000)
    with pytest.raises(ParseError, match="too deeply"):
        compile_template("{{ " + "(" * 20_000, name="t", limits=deep)
    value: JsonValue = 1
    for _ in range(5_000):
        value = [value]
    # Ten times as deep as any setting allows. Compiled, it takes levels of C, and there are enough of them.
    found = rendered_or_refused("{{ x }}", {"x": value}, limits=deep)
    assert "too deeply" in found or "[" * 5_000 + "1" + "]" * 5_000 == found


def test_number_with_many_digits_is_no_trap() -> None:
    with pytest.raises(ParseError, match="overflow"):
        compile_template("{{ " + "1" * 60_000 + " }}", name="t")
    assert render("{{ 0." + "1" * 60_000 + " }}") == "0.1111111111111111"
    with pytest.raises(RenderingError, match="stoi"):
        render("{{ int(x) }}", {"x": "1" * 1_000_000})


def test_json_text_is_bounded_in_depth() -> None:
    assert loads_json("[" * 256 + "]" * 256) is not None
    with pytest.raises(JsonTextError, match="256 levels"):
        loads_json("[" * 257 + "]" * 257)
    with pytest.raises(JsonTextError, match="256 levels"):
        loads_json("[" * 100_000)


def test_deep_value_is_not_written() -> None:
    value: JsonValue = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(TemplateError, match="levels deep"):
        dumps_json(value)


def test_limit_error_names_the_template() -> None:
    template = compile_template("{{ range(1000000000) }}", name="x-big")
    with pytest.raises(LimitError, match=r"'x-big'.*100000 steps"):
        template.render(StaticContext())
