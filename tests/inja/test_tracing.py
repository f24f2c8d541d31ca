"""Invariant 4's evidence: which empty headers a rendering has printed."""

from __future__ import annotations

import pytest

from tests.inja.rendering import trace
from tests.inja.static_context import StaticContext
from wardgate.inja.template import compile_template
from wardgate.inja.values import JsonValue

_DATA: JsonValue = {"token": "", "other": "x", "host": {"name": ""}, "l": [1, 2], "o": {"k": 1}}
_HOLLOW = {"token": "x-api-key", "host.name": "x-host"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Bearer {{ token }}", {"x-api-key"}),
        ("Bearer {{ other }}", set()),
        ("{{ token }}{{ host.name }}", {"x-api-key", "x-host"}),
        ("{{ host }}", {"x-host"}),
        ('{{ default(token, "d") }}', {"x-api-key"}),
        ("{{ upper(token) }}", {"x-api-key"}),
        ('{{ token + "x" }}', {"x-api-key"}),
        ("{{ token == other }}", {"x-api-key"}),
        ("{% if token %}a{% endif %}", set()),
        ("{% if token %}{{ other }}{% endif %}", set()),
        ("{% if token %}{{ token }}{% endif %}", {"x-api-key"}),
        ("{% if false %}{{ token }}{% endif %}", set()),
        ('{{ exists("token") }}', set()),
        ("{% set a = token %}", set()),
        ("{% set a = token %}{{ a }}", {"x-api-key"}),
        ("{% set a = token %}{% set b = a %}{{ b }}", {"x-api-key"}),
        ("{% set a = token %}{% set a = other %}{{ a }}", set()),
        ("{% set a.b = token %}{% set a.c = 1 %}{{ a.c }}", {"x-api-key"}),
        ("{% set a.b = token %}{{ a.b }}", {"x-api-key"}),
        ("{% set token = other %}{{ token }}", set()),
        ("{% for x in [1] %}{{ token }}{% endfor %}", {"x-api-key"}),
        ("{% set a = token %}{% for x in range(length(a) + 1) %}{{ x }}{% endfor %}", {"x-api-key"}),
        ("{% set a = token %}{% for x in range(length(a) + 1) %}{{ loop.index }}{% endfor %}", {"x-api-key"}),
        ("{% for x in l %}{{ x }}{{ loop.index }}{% endfor %}", set()),
        ("{% for k, v in o %}{{ k }}{{ v }}{% endfor %}", set()),
        ("{% for k, v in host %}{{ k }}{% endfor %}", {"x-host"}),
        ("{{ context() }}", {"x-api-key", "x-host"}),
        ("{{ true or token }}", set()),
        ('{{ header("X-A") }}', {"x-a"}),
        ('{{ header("x-present") }}', set()),
        ('{{ request_header("X-B") }}', {"x-b"}),
        ('{{ base64_encode(header("X-A")) }}', {"x-a"}),
        ('{% set h = header("X-A") %}{{ h }}', {"x-a"}),
        ('{% if header("X-A") == "" %}none{% endif %}', set()),
        ("{{ other }}text", set()),
    ],
)
def test_hollow_headers_that_were_printed(source: str, expected: set[str]) -> None:
    rendered = trace(source, _DATA, headers={"x-present": "1"}, hollow=_HOLLOW)
    assert expected == rendered.hollow


def test_extraction_is_hollow_under_advanced_templates() -> None:
    rendered = trace('{{ extraction("token") }}{{ extraction("b") }}', advanced=True, hollow={"token": "x-api-key"})
    assert rendered.hollow == {"x-api-key"}


def test_full_extraction_is_not_hollow() -> None:
    rendered = trace('{{ extraction("token") }}', advanced=True, extractions={"token": "t"}, hollow={"token": "h"})
    assert rendered == ("t", frozenset())


def test_field_of_the_body_is_not_hollow_under_advanced_templates() -> None:
    rendered = trace("{{ token }}", {"token": "from the body"}, advanced=True, hollow={"token": "x-api-key"})
    assert rendered == ("from the body", frozenset())


def test_nothing_hollow_takes_the_short_way() -> None:
    assert trace("Bearer {{ token }}", {"token": "t"}) == ("Bearer t", frozenset())
    assert trace("Bearer {{ token }}", {"token": 5}) == ("Bearer 5", frozenset())


def test_template_compiled_without_trace_does_not_trace() -> None:
    template = compile_template("x", name="t")
    with pytest.raises(ValueError, match="without trace"):
        template.render_traced(StaticContext())
