"""The needs of a template: what is certain to be evaluated, and nothing that may be left out."""

from __future__ import annotations

import pytest

from wardgate.inja.needs import Needs
from wardgate.inja.template import compile_template

_NONE: frozenset[str] = frozenset()


def needs(source: str, *, advanced: bool = False) -> Needs:
    return compile_template(source, name="t", advanced=advanced).needs()


@pytest.mark.parametrize(
    "source",
    [
        "text",
        '{% if exists("user") %}{{ user }}{{ header("h") }}{% endif %}',
        "{% for x in [1] %}{{ y }}{% endfor %}{{ loop }}",
        '{{ default(user, header("h")) }}',
        "{% set user = 1 %}{{ user }}{{ user.name }}",
        "{{ true or user }}{{ false and user }}",
    ],
)
def test_what_may_be_left_out_is_no_need(source: str) -> None:
    assert Needs(frozenset(), frozenset(), _NONE, _NONE) == needs(source)


def test_variables_are_looked_up_wherever_they_stand_and_printed_where_they_are_printed() -> None:
    found = needs("{{ a.b }}{% if c %}{% endif %}{% set d = e %}{% block x %}{{ upper(f) }}{% endblock %}{{ g and h }}")

    assert {("a", "b"), ("c",), ("e",), ("f",), ("g",)} == found.variables
    assert {("a", "b"), ("f",), ("g",)} == found.printed


def test_headers_and_extractions_count_where_they_are_printed() -> None:
    found = needs(
        '{{ header("A") }}{{ lower(request_header("b")) }}{{ extraction("c") }}{% if header("d") == "" %}{% endif %}',
        advanced=True,
    )

    assert {"A", "b"} == found.headers
    assert {"c"} == found.extractions
