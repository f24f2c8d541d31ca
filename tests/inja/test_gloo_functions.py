"""The functions that Gloo's filter adds."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.inja.rendering import error_of, render
from tests.inja.static_context import StaticContext
from wardgate.inja.context import Environment
from wardgate.inja.template import compile_template
from wardgate.inja.values import JsonValue

_METADATA: dict[str, JsonValue] = {
    "io.solo.transformation": {
        "s": "text",
        "n": 5,
        "f": 1.5,
        "t": True,
        "no": False,
        "nil": None,
        "l": [1, 2.5, "x", True, [1], None],
        "o": {"b": [1.0, {"c": 2.5}], "a": False},
        "a": {"b": {"c": "deep"}},
    },
    "envoy.filters.http.ext_authz": {"userId": "alice"},
}


def test_header_and_request_header_ignore_case_and_are_empty_when_absent() -> None:
    headers = {"x-a": "1"}
    source = '{{ header("X-A") }}|{{ header("x-b") }}|{{ request_header("X-A") }}|{{ request_header("x-b") }}'
    assert render(source, headers=headers, request_headers={"x-a": "2"}) == "1||2|"


def test_extraction_is_empty_when_unknown() -> None:
    assert render('{{ extraction("a") }}|{{ extraction("b") }}', extractions={"a": "1"}) == "1|"


def test_body_is_the_raw_text() -> None:
    assert render("{{ body() }}", {"a": 1}, raw_body='{ "a": 1 }') == '{ "a": 1 }'


@pytest.mark.parametrize(("data", "expected"), [({"a": 1}, '{"a":1}'), ([1, 2], "[1,2]"), ("s", "s")])
def test_context_is_all_data_of_whatever_kind(data: JsonValue, expected: str) -> None:
    assert render("{{ context() }}", data) == expected
    assert render("{{ context }}", data) == expected


def test_env_and_data_source_know_only_what_is_listed() -> None:
    environment = Environment(env={"REGION": "eu"}, data_sources={"motd": "hi"})
    source = '{{ env("REGION") }}|{{ env("PATH") }}|{{ data_source("motd") }}|{{ data_source("/etc/passwd") }}'
    assert render(source, environment=environment) == "eu||hi|"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ('"s"', "text"),
        ('"n"', "5.0"),
        ('"f"', "1.5"),
        ('"t"', "true"),
        ('"no"', "false"),
        ('"nil"', ""),
        ('"missing"', ""),
        ('"l"', '[1,2.5,"x",true,[1],null]'),
        ('"o"', '{"a":false,"b":[1,{"c":2.5}]}'),
        ('"a:b:c"', "deep"),
        ('"a:b:c:d"', ""),
        ('"userId", "envoy.filters.http.ext_authz"', "alice"),
        ('"userId", "nosuch"', ""),
        ('"a/b/c", "io.solo.transformation", "/"', "deep"),
        ('"s", "io.solo.transformation", ""', "text"),
    ],
)
@pytest.mark.parametrize("name", ["dynamic_metadata", "host_metadata", "cluster_metadata"])
def test_metadata(name: str, key: str, expected: str) -> None:
    metadata: dict[str, Any] = {name: _METADATA}
    context = StaticContext(**metadata)
    assert compile_template(f"{{{{ {name}({key}) }}}}", name="t").render(context) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [("s", "text"), ("n", "5.0"), ("t", "true"), ("l", "1,2.5,x,true,,"), ("o", ""), ("missing", ""), ("a:b", "")],
)
def test_old_cluster_metadata_prints_lists_with_commas(key: str, expected: str) -> None:
    assert render(f'{{{{ clusterMetadata("{key}") }}}}', cluster_metadata=_METADATA) == expected


def test_metadata_without_a_key_is_no_function() -> None:
    assert error_of("{{ dynamic_metadata() }}")[1].endswith("unknown function dynamic_metadata")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('base64_encode("a?>")', "YT8+"),
        ('base64_encode("a")', "YQ=="),
        ('base64url_encode("a?>")', "YT8-"),
        ('base64url_encode("a")', "YQ"),
        ('base64_decode("YT8+")', "a?>"),
        ('base64_decode("YQ==")', "a"),
        ('base64_decode("YQ")', ""),
        ('base64_decode("YR==")', ""),
        ('base64_decode("Y*==")', ""),
        ('base64_decode("")', ""),
        ('base64_decode("\u00e9AA=")', ""),
        ('base64url_decode("YT8-")', "a?>"),
        ('base64url_decode("YQ")', "a"),
        ('base64url_decode("YQ==")', ""),
        ('base64url_decode("Y")', ""),
        ('base64_decode("/w==")', "\udcff"),
        ('substring("abcdef", 2)', "cdef"),
        ('substring("abcdef", 2, 3)', "cde"),
        ('substring("abcdef", 2, 0)', "cdef"),
        ('substring("abcdef", 2, -1)', "cdef"),
        ('substring("abcdef", 2, 99)', "cdef"),
        ('substring("abcdef", 2, 9223372036854775807)', "cdef"),
        ('substring("abcdef", -1)', ""),
        ('substring("abcdef", 6)', ""),
        ('substring("abcdef", "1")', ""),
        ('substring("abcdef", 1.0)', ""),
        ('substring("abcdef", 1, true)', ""),
        ('substring("abcdef", 4294967297)', "bcdef"),
        ('substring("\u00e9x", 2)', "x"),
        ('substring("\u00e9x", 0, 1)', "\udcc3"),
        ('substring("\u00e9x", 0, 1) + substring("\u00e9x", 1, 1)', "\u00e9"),
        ('raw_string("a\\"b\\n")', 'a\\"b\\n'),
        ('trim(" \\t\\n\\r a b \\f")', "a b"),
        ('word_count("  two  words ")', "2"),
        ('word_count("")', "0"),
        ('word_count(["a b", 1, true, null, {"k l": "m"}])', "7"),
        ('replace_with_random("abc", "x")', "abc"),
        ('replace_with_random("abc", "")', "abc"),
    ],
)
def test_value(expression: str, expected: str) -> None:
    assert expected == render(f"{{{{ {expression} }}}}")


@pytest.mark.parametrize(
    "expression",
    ["raw_string(1)", "trim(1)", "base64_encode(null)", "header(1)", "substring(1, 1)", 'replace_with_random(1, "a")'],
)
def test_wrong_type_is_an_error(expression: str) -> None:
    assert "get_ref" in error_of(f"{{{{ {expression} }}}}")[1]


@pytest.mark.parametrize("call", ["header()", 'substring("a")', "split(1)", 'data_source("a", "b")', "body(1)"])
def test_wrong_number_of_arguments_is_an_unknown_function(call: str) -> None:
    kind, message = error_of(f"{{{{ {call} }}}}")
    assert (kind, message.split(") ")[1]) == ("parse", f"unknown function {call.partition('(')[0]}")


def test_raw_string_and_escaping_escape_twice() -> None:
    assert render("{{ raw_string(q) }}", {"q": '"'}, escape=True) == '\\\\\\"'


def test_random_value_is_one_per_pattern_for_the_life_of_the_environment() -> None:
    environment = Environment(random_bytes=lambda: b"0123456789abcdef")
    source = '{{ replace_with_random("a-X-X-Y", "X") }}'
    first = render(source, environment=environment)
    value = first.split("-")[1]
    assert first == f"a-{value}-{value}-Y"
    assert render(source, environment=environment) == first
    assert len(base64.b64decode(value + "==")) == 16
    assert value not in render('{{ replace_with_random("Y", "Y") }}', environment=environment)


def test_random_values_differ_between_environments() -> None:
    source = '{{ replace_with_random("X", "X") }}'
    environments = [Environment(random_bytes=bytes([number] * 16).__bytes__) for number in range(4)]
    assert len({render(source, environment=each) for each in environments}) == 4
