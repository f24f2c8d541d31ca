"""JSON as nlohmann::json reads and writes it."""

from __future__ import annotations

import pytest

from wardgate.inja.errors import RenderError
from wardgate.inja.jsontext import JsonTextError
from wardgate.inja.jsontext import dumps as dumps_json
from wardgate.inja.jsontext import loads as loads_json
from wardgate.inja.values import JsonValue


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-400", "0.0"),
        ("123456789012345678901234567890", "1.2345678901234568e+29"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-9223372036854775809", "-9.223372036854776e+18"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("0.1", "0.1"),
        ("1234567890123456.0", "1.234567890123456e+15"),
        ("-9999999999999999.0", "-1e+16"),
        ("-5000000000000000.0", "-5e+15"),
        ("1000000000000000.5", "1.0000000000000005e+15"),
        ("123456789012345.0", "123456789012345.0"),
        ("1e15", "1e+15"),
        ("1e16", "1e+16"),
        ("1e-4", "0.0001"),
        ("1e-5", "1e-05"),
        ("12345678901234567890.0", "1.2345678901234567e+19"),
        ("5e-324", "5e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("0.00001234", "1.234e-05"),
        ("1E+2", "100.0"),
        ('"\\ud83d\\ude00"', '"\U0001f600"'),
        ('"\\u0000\\b\\f\\u001f\x7f/\\/"', '"\\u0000\\b\\f\\u001f\x7f//"'),
        ('{"b":1,"a":{"d":[],"c":{}},"b":2}', '{"a":{"c":{},"d":[]},"b":2}'),
        ('{"\uffff":1,"\U00010000":2}', '{"\uffff":1,"\U00010000":2}'),
        (" [ true , false , null ] \n", "[true,false,null]"),
        ("\ufeff{}", "{}"),
        ("{}\0garbage", "{}"),
    ],
)
def test_text_survives_as_the_library_would_write_it(text: str, expected: str) -> None:
    assert expected == dumps_json(loads_json(text))
    assert expected == dumps_json(loads_json(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "1e400",
        "-1e400",
        "1" * 400,
        '"\\ud800"',
        '"\\udc00"',
        '{"\\ud800": 1}',
        "[1,2",
        "nul",
        '"\t"',
        "123abc",
        "01",
        "1.",
        ".5",
        "+1",
        "NaN",
        "Infinity",
        "-Infinity",
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        "'a'",
        "[] []",
        '"a\0b"',
    ],
)
def test_text_that_the_library_refuses(text: str) -> None:
    with pytest.raises(JsonTextError):
        loads_json(text)


@pytest.mark.parametrize("text", ["\udcff", b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"'])
def test_text_that_is_no_utf8_is_refused(text: str | bytes) -> None:
    with pytest.raises(JsonTextError, match="ill-formed UTF-8"):
        loads_json(text)


def test_lone_surrogate_in_a_deep_value_is_refused_too() -> None:
    with pytest.raises(JsonTextError):
        loads_json("[" * 900 + '"\\ud800"' + "]" * 900)


@pytest.mark.parametrize("value", ["\udcff", ["\udcff"], {"\udcff": 1}])
def test_string_that_is_no_utf8_is_not_written(value: JsonValue) -> None:
    with pytest.raises(RenderError, match=r"type_error\.316"):
        dumps_json(value)


def test_what_is_no_number_is_written_as_null() -> None:
    assert dumps_json([float("inf"), float("-inf"), float("nan"), 1.5]) == "[null,null,null,1.5]"


def test_string_that_looks_like_a_large_float_stays() -> None:
    assert dumps_json(["1234567890123456.0", True, None]) == '["1234567890123456.0",true,null]'


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"model":"m","temperature":NaN}', "line 1, column 28"),
        ('{"a":"NaN \\" Infinity",\n "b": [1, -Infinity]}', "line 2, column 11"),
        ("Infinity", "line 1, column 1"),
        ('{"NaN":\n\n"x",\n"n":NaN,"m":NaN}', "line 4, column 5"),
        ('["é", 123456789012345678901234567890, NaN]', "line 1, column 39"),
        ('{"a":"\\\\\\\\ud800 \\ud83d\\ude00",\n"b":"x\\ud800"}', "line 2, column 7"),
        ('["\\ud83d\\ude00\\ude00"]', "line 1, column 15"),
        ('["\\ud83d\\ud83d\\ude00"]', "line 1, column 3"),
        ("\udcff", "line 1, column 1"),
        ('["é",\n\udcff]', "line 2, column 1"),
        (b'["\xc3\xa9",\n "\xff"]', "line 2, column 3"),
    ],
)
def test_place_of_an_error_is_where_it_stands(text: str | bytes, place: str) -> None:
    with pytest.raises(JsonTextError, match=rf"parse error at {place}: "):
        loads_json(text)


@pytest.mark.parametrize("wrong", ["NaN", '"\\ud800"'])
def test_no_place_is_told_where_a_long_text_would_be_read_twice(wrong: str) -> None:
    with pytest.raises(JsonTextError, match=r"parse error: syntax error"):
        loads_json(f'["{"x" * (1 << 18)}", {wrong}]')
