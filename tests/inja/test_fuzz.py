"""Whatever is thrown at it, the package answers with a result or with a `TemplateError`, within its limits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inja.static_context import StaticContext
from wardgate.inja.budget import StepBudget
from wardgate.inja.context import Environment
from wardgate.inja.errors import ConfigError, TemplateError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import dumps as dumps_json
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.limits import TemplateLimits
from wardgate.inja.template import FUNCTIONS, compile_template
from wardgate.inja.values import JsonValue

_LIMITS = TemplateLimits(steps=2_000, output_bytes=2_000)
_NAMES = ["a", "a.b", "l", "l.0", "x", "loop.index", "loop", "o", "s", "body", "n"]
_LITERALS = ["1", "-1", "0", "2.5", '"s"', '""', "true", "null", "[1,2]", '{"k":[1]}', "9223372036854775807", "1e308"]
_OPERATORS = [" + ", " - ", " * ", " / ", " % ", " ^ ", " == ", " < ", " in ", " and ", " or ", " . ", " >= ", " != "]

_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abkl"), inner, max_size=3),
    max_leaves=8,
)


def _expressions() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(_NAMES) | st.sampled_from(_LITERALS)
    calls = st.sampled_from([*FUNCTIONS, "default", "super"])
    return st.recursive(
        leaves,
        lambda inner: (
            st.tuples(inner, st.sampled_from(_OPERATORS), inner).map("".join)
            | inner.map(lambda text: f"({text})")
            | inner.map(lambda text: f"not {text}")
            | st.tuples(calls, st.lists(inner, max_size=3)).map(lambda call: f"{call[0]}({', '.join(call[1])})")
        ),
        max_leaves=6,
    )


def _statements() -> st.SearchStrategy[str]:
    expression = _expressions()
    simple = st.text(alphabet="ab{}#% \n", max_size=4) | expression.map(lambda text: f"{{{{ {text} }}}}")
    assignment = st.tuples(st.sampled_from(_NAMES), expression)
    return st.recursive(
        simple | assignment.map(lambda pair: f"{{% set {pair[0]} = {pair[1]} %}}"),
        lambda inner: (
            st.lists(inner, max_size=3).map("".join)
            | st.tuples(expression, inner, inner).map(
                lambda parts: f"{{% if {parts[0]} %}}{parts[1]}{{% else %}}{parts[2]}{{% endif %}}"
            )
            | st.tuples(st.sampled_from(_NAMES), expression, inner).map(
                lambda parts: f"{{% for {parts[0]} in {parts[1]} %}}{parts[2]}{{% endfor %}}"
            )
            | st.tuples(st.sampled_from(_NAMES), expression, inner).map(
                lambda parts: f"{{% for {parts[0]}, x in {parts[1]} %}}{parts[2]}{{% endfor %}}"
            )
        ),
        max_leaves=8,
    )


def _context(data: JsonValue) -> StaticContext:
    return StaticContext(
        data,
        {"h": ""},
        raw_body="raw",
        hollow={"a.b": "h"},
        environment=Environment(env={"s": "value"}),
        budget=StepBudget(_LIMITS.steps),
    )


def _try(source: str, data: JsonValue, *, advanced: bool = False, escape: bool = False) -> str | None:
    """Render both ways; return the text, or ``None`` for an error."""
    options: dict[str, Any] = {"name": "t", "advanced": advanced, "escape": escape, "limits": _LIMITS}
    try:
        template = compile_template(source, trace=True, **options)
    except TemplateError:
        return None
    template.may_read_body(frozenset({"a.b"}))
    try:
        text = template.render_traced(_context(data)).text
    except TemplateError:
        text = None
    try:
        plain = compile_template(source, **options).render(_context(data))
    except TemplateError:
        plain = None
    assert text == plain
    return text


@settings(max_examples=250, deadline=None)
@given(source=st.text(alphabet="{}%#-+ \n\"'ab01.()[],:=<!*/^~_@$&é\\", max_size=40), advanced=st.booleans())
def test_arbitrary_text_is_rendered_or_refused(source: str, *, advanced: bool) -> None:
    text = _try(source, {"a": {"b": 1}}, advanced=advanced)
    assert text is None or len(text.encode("utf-8", "surrogateescape")) <= _LIMITS.output_bytes


@pytest.mark.no_cover
@settings(max_examples=250, deadline=None)
@given(source=_statements(), data=st.dictionaries(st.sampled_from("alons"), _VALUES), escape=st.booleans())
def test_plausible_templates_are_rendered_or_refused(source: str, data: JsonValue, *, escape: bool) -> None:
    text = _try(source, data, escape=escape)
    assert text is None or len(text.encode("utf-8", "surrogateescape")) <= _LIMITS.output_bytes


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(expression=_expressions(), data=_VALUES)
def test_expressions_in_loops_stay_within_limits(expression: str, data: JsonValue) -> None:
    source = f"{{% for x in range(50) %}}{{% set s = {expression} %}}{{{{ s }}}}{{% endfor %}}"
    text = _try(source, {"a": data, "s": "x", "l": [1]})
    assert text is None or len(text.encode("utf-8", "surrogateescape")) <= _LIMITS.output_bytes


@settings(max_examples=400, deadline=None)
@given(
    regex=st.text(alphabet="ab.*+?()[]{}|^$\\-:=dwsb12,é&", max_size=12),
    value=st.text(max_size=8),
    mode=st.sampled_from(["EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL"]),
    replacement=st.text(alphabet="$&`'1a", max_size=4),
)
def test_arbitrary_regex_is_applied_or_refused(regex: str, value: str, mode: str, replacement: str) -> None:
    text = None if mode == "EXTRACT" else replacement
    try:
        extractor = compile_extractor(regex=regex, mode=mode, replacement=text)
    except ConfigError:
        return
    extracted = extractor.extract(value)
    assert mode != "EXTRACT" or extracted in ("", value)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=20) | st.binary(max_size=20))
def test_arbitrary_text_is_json_or_refused(text: str | bytes) -> None:
    try:
        value = loads_json(text)
    except JsonTextError:
        return
    written = dumps_json(value)
    assert dumps_json(loads_json(written)) == written


@settings(max_examples=200, deadline=None)
@given(value=_VALUES)
def test_json_written_in_templates_is_the_same(value: JsonValue) -> None:
    written = dumps_json([value])
    assert _try("{{ x }}", {"x": [value]}) == written
