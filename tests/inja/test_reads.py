"""What a template may depend on: a wrong no would give something away, a wrong yes only hides what is harmless."""

from __future__ import annotations

import pytest

from wardgate.inja.reads import Reads
from wardgate.inja.template import compile_template

_NONE: frozenset[str] = frozenset()


def reads(source: str) -> Reads:
    return compile_template(source, name="t").reads()


@pytest.mark.parametrize(
    "source", ["text", "", "{{ 1 + 2 }}", '{{ env("HOME") }}', '{{ data_source("x") }}', '{{ upper("a") }}']
)
def test_template_without_a_message_depends_on_nothing(source: str) -> None:
    assert Reads(_NONE, _NONE, data=False, metadata=False) == reads(source)


@pytest.mark.parametrize(
    "source",
    [
        '{{ header("A") }}{{ request_header("b") }}',
        '{% if header("A") == "x" %}1{% else %}{{ upper(request_header("b")) }}{% endif %}',
        '{% for c in join(header("A"), "") %}{% set v = request_header("b") %}{% endfor %}',
        '{{ default(header("A"), substring(request_header("b"), 1)) }}',
        '{% block x %}{{ not (length(header("A")) + length(request_header("b")) > 3) }}{% endblock %}',
    ],
)
def test_headers_are_found_wherever_they_are_read(source: str) -> None:
    found = reads(source)
    assert (frozenset({"A"}), frozenset({"b"})) == (found.headers, found.request_headers)


@pytest.mark.parametrize("name", ['header("a")', 'join(["a"], "")', "x", "1", 'env("A")'])
def test_name_that_is_made_while_rendering_may_be_any(name: str) -> None:
    assert None is reads("{{ request_header(" + name + ") }}").request_headers
    assert None is reads("{{ header(" + name + ") }}").headers


@pytest.mark.parametrize(
    "source",
    ["{{ x }}", "{{ body() }}", "{{ body }}", "{{ context() }}", '{{ extraction("x") }}', '{{ exists("x") }}',
     "{% if x %}1{% endif %}", "{% for a in b %}{% endfor %}", "{% set v = x %}", "{{ length(context()) }}"],
)  # fmt: skip
def test_body_and_extractors_are_data(source: str) -> None:
    assert reads(source).data


def test_dynamic_metadata_is_metadata() -> None:
    assert Reads(_NONE, _NONE, data=False, metadata=True) == reads('{{ dynamic_metadata("k", "ns") }}')
