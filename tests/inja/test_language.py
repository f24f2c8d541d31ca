"""Corners of the language that the library's code decides and the examples do not all reach."""

from __future__ import annotations

import pytest

from tests.inja.rendering import error_of, render
from tests.inja.static_context import StaticContext
from wardgate.inja.errors import ParseError, RenderError
from wardgate.inja.template import compile_template
from wardgate.inja.values import JsonValue

_ITEMS: JsonValue = {"l": ["a", "b"], "o": {"x": 1, "y": 2}, "n": 7, "empty": [], "s": "text"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ loop }}|", "|"),
        ("{% for x in l %}{{ loop.is_first }}{{ loop.is_last }} {% endfor %}", "truefalse falsetrue "),
        ("{% for k, v in o %}{{ loop.is_first }}{{ loop.is_last }} {% endfor %}", "truefalse falsetrue "),
        (
            "{% for x in l %}{% endfor %}{{ loop }}",
            '{"index":1,"index1":2,"is_first":false,"is_last":true,"parent":null}',
        ),
        ("{% for x in empty %}{% endfor %}{{ loop }}", '{"is_first":true,"is_last":true,"parent":null}'),
        ("{% for n in empty %}{% endfor %}[{{ n }}]", "[]"),
        ("{% set n = 5 %}{% for n in empty %}{% endfor %}{{ n }}", "0"),
        ("{% for x in [{}] %}{% endfor %}{{ x }}", "{}"),
        ("{% for x in [null] %}{% endfor %}[{{ x }}]", "[]"),
        ("{% for k, v in o %}{% endfor %}[{{ k }}][{{ v }}]", "[][0]"),
        (
            "{% for x in l %}{% for y in l %}{{ loop.parent.index }}{{ loop.parent.is_first }}{% endfor %}{% endfor %}",
            "0true0true1false1false",
        ),
        ("{% for x in l %}{% endfor %}{% for y in l %}{{ loop.parent.index }}{% endfor %}", "11"),
        (
            "{% for x in l %}{% for k, v in o %}{{ loop.index }}{{ loop.parent.index }} {% endfor %}{% endfor %}",
            "00 10 01 11 ",
        ),
        ("{% set loop.x = 1 %}{% for x in l %}{{ loop.x }}{{ loop.parent.x }}{% endfor %}", "1111"),
        ('{% set loop.x = 1 %}{% for k, v in o %}{{ exists("q") }}{{ loop.parent.x }}{% endfor %}', "false1false1"),
        ('{% for loop in [{"a": 1}] %}{{ loop.a }}{{ loop.index }}{% endfor %}', "10"),
        ("{% set x.y = 1 %}{% set x.z = 2 %}{{ x }}", '{"y":1,"z":2}'),
        ("{% set x = l %}{% set x.0 = 9 %}{{ x }}{{ l }}", '[9,"b"]["a","b"]'),
        ("{% set x.2 = 1 %}{{ x }}", "[null,null,1]"),
        ("{% set x.- = 1 %}{% set x.- = 2 %}{{ x }}", "[1,2]"),
        ("{% set x.a.b = 1 %}{% set y = x %}{% set x.a.b = 2 %}{{ x }}{{ y }}", '{"a":{"b":2}}{"a":{"b":1}}'),
        ("{% set x.a = 1 %}{% set x.b = x %}{{ x }}", '{"a":1,"b":{"a":1}}'),
        ("{% set o.x = 5 %}{{ o.x }}{{ o.y }}{{ o }}", '52{"x":5}'),
        ("{% set l = 5 %}{{ length(l) }}{{ l.0 }}", "1a"),
        ('{% for v in [{"a": 1}] %}{% set v.b = 2 %}{{ v }}{% endfor %}', '{"a":1,"b":2}'),
        ('{% for a.b in l %}{{ exists("x") }}{% endfor %}', "falsefalse"),
        ("{% if n %}1{% else %}2{% else %}3{% endif %}", "1"),
        ("{% if not n %}1{% else %}2{% else %}3{% endif %}", "23"),
        ("{% if not n %}1{% else %}2{% else if n %}3{% else %}4{% endif %}5", "235"),
        ("{% for x in l %}{% if x %}{{ x }}{% endfor %}!{% endif %}?", "a?b?!"),
        ("{% block b %}x", "x"),
        ("{% block b %}x{% block c %}y{% endblock %}{% endblock %}z", "xyz"),
        ("{{ upper(s,) }}", "TEXT"),
        ("{{ o . x }}{{ o .x }}", "11"),
        ("{{-1}}", "1"),
        ("{# a #}{{ n }}{#- b -#}\n\nx", "7\nx"),
        ("a\n \t{#- b #}c", "a\nc"),
        ("{#-#}  \nx", "x"),
        ("{# c -#}\r\nx", "x"),
        ("{# c -#}\rx", "x"),
        ("{# c -#} x", "x"),
        ("{{ s }}  {{- n }}", "text7"),
        ("a\r\n  {{- n }}", "a\r\n7"),
        ("## for x in l\r\n{{ x }}\n## endfor", "a\nb\n"),
        ("## if n", None),
        ("a{{ n }}\n## set q = 1\n{{ q }}", "a7\n1"),
        ("## set q = [1,\n", None),
        ("{{ n }}##", "7##"),
        ("# ## {", "# ## {"),
        ('{{ "a\\"b" }}{{ "\\\\" }}', 'a"b\\'),
        ("{{ 2 * (3 + 4) - -1 }}", "15"),
        ("{{ (2) . (1) }}", None),
        ("{{ n == 7 }}{{ not -1 }}{{ n and -1 }}", "truefalsetrue"),
        ("{% if -1 == n %}a{% else if -1 < n %}b{% endif %}", "b"),
        ('{{ length("ab") -1 }}{{ [1] == -1 }}', "1false"),
        ("{{ -1 - 1 }}{{ -1 -1 }}", "-2-2"),
        ("{{ n }}{{ -1 }}", "7-1"),
        ("{{ if -1 }}", None),
    ],
)
def test_output(source: str, expected: str | None) -> None:
    if expected is None:
        error_of(source, _ITEMS)
    else:
        assert expected == render(source, _ITEMS)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ n }}{{ -n }}", "(at 1:14) too few arguments"),
        ("## if n", "(at 1:8) expected statement, got '<eof>'"),
        ("## if n\n", "(at 2:1) unmatched if"),
        ("## endif n\n", "(at 1:4) endif without matching if"),
        ("## if n\n## endif n\n", "(at 2:10) expected line statement close, got 'n'"),
        ("{% if n %}{% else n %}", "(at 1:19) expected statement close, got 'n'"),
        ("{% block 1 %}", "(at 1:10) expected block name, got '1'"),
        ("{% endblock %}", "(at 1:4) endblock without matching block"),
        ("{% include x %}", "(at 1:12) expected string, got 'x'"),
        ('{% include "', "(at 1:12) expected filename, got '\"'"),
        ("{% for x, 1 in o %}", "(at 1:11) expected id, got '1'"),
        ("{% set a == 1 %}", "(at 1:10) expected '=', got '=='"),
        ("{{ [upper(n)] }}{{ [nosuch()] }}", None),
        ("{{ [1}] }}", "(at 1:6) unexpected '}'"),
        ("{{ (1]) }}", "(at 1:6) unexpected ']'"),
        ("{{ ] }}", "(at 1:4) unexpected ']'"),
        ("{{ upper(,s) }}", "(at 1:10) expected right parenthesis, got ','"),
        ("{{ a.b(1) }}", "(at 1:9) unknown function a.b"),
        ("{{ é }}", "(at 1:4) expected expression close, got '\udcc3'"),
        ("é{{ ; }}", "(at 1:6) expected expression close, got ';'"),
        ("\ufeff{{ ; }}", "(at 1:4) expected expression close, got ';'"),
        ("{{ n  ", "(at 1:7) expected expression close, got '<eof>'"),
        ("{{ 12", "(at 1:6) expected expression close, got '<eof>'"),
        ("{{ n = 1 }}", "(at 1:6) expected expression close, got '='"),
        ("{{ n ! 1 }}", "(at 1:6) expected expression close, got '!'"),
        ("\n\n  {{ 1 2 }}", "(at 3:10) malformed expression"),
        ("{# a\n #", "(at 1:3) expected comment close, got '<eof>'"),
    ],
)
def test_syntax_error_has_the_librarys_words_and_place(source: str, message: str | None) -> None:
    kind, text = error_of(source, _ITEMS)
    assert kind == "parse"
    if message is not None:
        assert f"[inja.exception.parser_error] {message}" == text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ l.00 }}", "(at 1:4) variable 'l.00' not found"),
        ("{{ l.01 }}", "(at 1:4) variable 'l.01' not found"),
        ("{{ l.- }}", "(at 1:4) variable 'l.-' not found"),
        ("{{ l.-1 }}", "(at 1:4) variable 'l.-1' not found"),
        ("{{ l.1x }}", "(at 1:4) variable 'l.1x' not found"),
        ("{{ s.0 }}", "(at 1:4) variable 's.0' not found"),
        ("{{}}", "(at 1:3) empty expression"),
        ("{{ missing + missing2 }}", "(at 1:14) variable 'missing2' not found"),
        ("{{ missing + n + missing2 }}", "(at 1:4) variable 'missing' not found"),
        ("{{ at(missing, missing2) }}", "(at 1:16) variable 'missing2' not found"),
        ("{{ missing . x }}", "(at 1:4) variable 'missing' not found"),
        ("{{ o . n }}", "(at 1:6) could not find element with given name"),
        ("{{ o . 5 }}", "(at 1:6) could not find element with given name"),
        ("{{ o . body }}", "(at 1:6) could not find element with given name"),
        ("{{ }}", "(at 1:4) empty expression"),
        ("## set q = [1,\n", "(at 1:1) empty expression"),
        ("\ufeff{{ missing }}", "(at 1:7) variable 'missing' not found"),
        ("\ufeff\n{{ missing }}", "(at 2:4) variable 'missing' not found"),
        ("{{ n % 0 }}", "(at 1:6) modulo by zero"),
        ("{{ super(1) }}", "(at 1:4) super() call is not within a block"),
        (
            "{% block b %}{% block c %}{% endblock %}{{ super(0) }}{% endblock %}",
            "(at 1:44) level of super() call does not match parent templates (between 1 and 0)",
        ),
    ],
)
def test_rendering_error_has_the_librarys_words_and_place(source: str, message: str) -> None:
    assert error_of(source, _ITEMS) == ("render", f"[inja.exception.render_error] {message}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ o . z }}",
        "{{ l . x }}",
        '{{ super("a") }}',
        "{% set ~x = 1 %}",
        "{% set x. = 1 %}",
        "{% set x = 1 %}{% set x.y = 1 %}",
        "{% set x = l %}{% set x.y = 1 %}",
        "{% set x = l %}{% set x.01 = 1 %}",
        "{% set x = l %}{% set x.99999999999999999999 = 1 %}",
        "{{ l.99999999999999999999 }}",
        "{{ l.18446744073709551615 }}",
        "{{ l.. }}",
        '{{ exists("~") }}',
        "{% for loop in [1] %}{{ loop.index }}{% endfor %}",
        "{% set loop = 5 %}{% for x in l %}{{ loop.index }}{% endfor %}",
        "{% set loop = [] %}{% for x in l %}{{ loop.index }}{% endfor %}",
    ],
)
def test_error_of_the_json_library_is_a_rendering_error(source: str) -> None:
    kind, message = error_of(source, _ITEMS)
    assert kind == "render"
    assert message.startswith("[json.exception.")


def test_names_with_a_bad_escape_are_syntax_errors() -> None:
    assert error_of("{{ a~b }}", advanced=True)[0] == "parse"


@pytest.mark.parametrize("literal", ['"open', '"\t"', '"\\ud800"', '"\udcff"', "[NaN]", "[1e999]", '"\\q"', "[1 + 2]"])
def test_literal_that_is_no_json_is_a_syntax_error_with_its_place(literal: str) -> None:
    with pytest.raises(ParseError) as caught:
        compile_template(f"a\n{{{{ {literal} }}}}", name="t")
    assert (caught.value.line, caught.value.column) == (2, 4)
    assert caught.value.message.startswith("[json.exception.")


def test_error_names_the_template() -> None:
    template = compile_template("{{ missing }}", name="header Authorization")
    said = r"Template 'header Authorization': .* variable 'missing' not found"
    with pytest.raises(RenderError, match=said) as caught:
        template.render(StaticContext())
    assert caught.value.template == "header Authorization"


def test_syntax_error_names_the_template() -> None:
    with pytest.raises(ParseError, match="Template 'body': "):
        compile_template("{{", name="body")


def test_source_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ParseError, match="no text"):
        compile_template("\ud800", name="t")


def test_template_keeps_name_and_source() -> None:
    template = compile_template("a{{ b }}", name="t")
    assert (template.name, template.source) == ("t", "a{{ b }}")


@pytest.mark.parametrize(
    "source", ["Bearer {{ x }}", "{{ x }}", "{{ x }} suffix", "{# c #}a{{ x }}{# c #}b", "{{x}}{{y}}", "text"]
)
def test_short_way_and_long_way_agree(source: str) -> None:
    data: JsonValue = {"x": "é1", "y": "2"}
    assert render(source, data) == render(f"{{% if true %}}{source}{{% endif %}}", data)


@pytest.mark.parametrize("value", [1, 1.5, None, True, [1], {"a": 1}])
def test_short_way_leaves_what_is_no_string_to_the_long_way(value: JsonValue) -> None:
    assert render("<{{ x }}>", {"x": value}) == render("<{{ x }}>{% if false %}{% endif %}", {"x": value})


def test_chains_of_else_if_may_be_long() -> None:
    chain = "{% if n == 0 %}0" + "".join(f"{{% else if n == {i} %}}{i}" for i in range(1, 300)) + "{% endif %}"
    assert render(chain, {"n": 299}) == "299"
