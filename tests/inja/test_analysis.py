"""Which templates need no body: a wrong no would render without data, a wrong yes only costs a buffer."""

from __future__ import annotations

import pytest

from wardgate.inja.template import compile_template

_DEFINED = frozenset({"huggingface-api-key", "host.name", "a"})


@pytest.mark.parametrize(
    "source",
    [
        "Bearer {{ huggingface-api-key }}",
        "text",
        "{{ host.name }}{{ a }}{{ a.b }}",
        '{{ header("x") }}{{ request_header("y") }}{{ extraction("z") }}',
        '{% if exists("a") %}{{ a }}{% endif %}',
        '{{ exists("host") }}{{ exists("host.name") }}{{ exists("~") }}',
        "{% set v = 1 %}{{ v }}",
        "{% set v.w = 1 %}{{ v.w }}{{ v }}",
        "{% set v = 1 %}{% if v %}{{ v }}{% endif %}",
        "{% for x in [1, 2] %}{{ x }}{{ loop.index }}{{ loop.is_last }}{% endfor %}{{ x }}",
        '{% for k, v in {"a": 1} %}{{ k }}{{ v }}{% endfor %}',
        "{{ loop }}",
        "{% block b %}{% set v = 1 %}{% endblock %}{{ v }}",
        "{% set ~x = 1 %}",
        "{{ }}",
        '{% include "x" %}',
    ],
)
def test_template_needs_no_body(source: str) -> None:
    assert compile_template(source, name="t").may_read_body(_DEFINED) is False


@pytest.mark.parametrize(
    "source",
    [
        "{{ body() }}",
        "{{ body }}",
        "{{ context() }}",
        "{{ context }}",
        "{{ x }}",
        "{{ host }}",
        "{{ hostname }}",
        "{{ host.other }}",
        "{{ huggingface-api }}",
        '{{ exists("x") }}',
        '{{ exists("host.other") }}',
        "{{ exists(a) }}",
        "{{ exists(1) }}",
        '{{ default(x, "d") }}',
        "{{ upper(x) }}",
        "{{ not x }}",
        "{{ a + x }}",
        "{% if x %}{% endif %}",
        "{% if a %}{% else %}{{ x }}{% endif %}",
        "{% if a %}{% set v = 1 %}{% endif %}{{ v }}",
        "{% for y in [1] %}{% set v = 1 %}{% endfor %}{{ v }}",
        "{% set v = x %}",
        "{{ v }}{% set v = 1 %}",
        "{% set v = 1 %}{{ v.w }}",
        "{% set v.w = 1 %}{% set v = 2 %}{{ v.w }}",
        "{% for v in x %}{% endfor %}",
        "{% for v in [1] %}{{ v.w }}{% endfor %}",
        "{% for v in [1] %}{{ loop.parent.index }}{% endfor %}",
        "{{ loop.index }}",
        "{% block b %}{{ x }}{% endblock %}",
    ],
)
def test_template_may_need_the_body(source: str) -> None:
    assert compile_template(source, name="t").may_read_body(_DEFINED) is True


def test_extractors_define_no_variables_under_advanced_templates() -> None:
    template = compile_template("{{ a }}", name="t", advanced=True)
    assert template.may_read_body(_DEFINED) is True
    assert compile_template('{{ extraction("a") }}', name="t", advanced=True).may_read_body(_DEFINED) is False
