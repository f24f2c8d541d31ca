"""The language's own functions and operators where C++ decides the result."""

from __future__ import annotations

import pytest

from tests.inja.rendering import error_of, render
from wardgate.inja.values import JsonValue

_DATA: JsonValue = {
    "inf": 1e308,
    "big": 2**64 - 1,
    "min": -(2**63),
    "s": "gr\u00f6\u00dfe",
    "mixed": [2, "b", None, 1.0, True, {"a": 1}, [1], 1],
    "o": {"b": 2, "a": 1},
    "e": [],
    "eo": {},
    "nil": None,
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("9223372036854775807 + 1", "-9223372036854775808"),
        ("min - 1", "9223372036854775807"),
        ("big * big", "1"),
        ("big + 0.0", "1.8446744073709552e+19"),
        ("[big]", None),
        ("min % -1", "0"),
        ("-7 % 3", "-1"),
        ("7 % -3", "1"),
        ("2.9 % 2", "0"),
        ("inf * 10", "null"),
        ("inf * 10 - inf * 10", "null"),
        ("10 ^ 30", "-9223372036854775808"),
        ("-10 ^ 31", "-9223372036854775808"),
        ("3 ^ 39", "4052555153018976256"),
        ("0 ^ 0", "1"),
        ("0 ^ -1", "null"),
        ("-0.0 ^ -1", "null"),
        ("-1.5 ^ 99999", "null"),
        ("1.5 ^ 2.9", "2.25"),
        ("2 ^ -1.9", "0.5"),
        ("1e300 % 2", "0"),
        ("9.25e18 % 10", "-8"),
        ("-0.0", "-0.0"),
        ("-0", "0"),
        ("0 / -5", "-0.0"),
        ("big == -1", "true"),
        ("-1 == big", "true"),
        ("big == -2", "false"),
        ("-2 < big", "true"),
        ("big == 18446744073709551615.0", "true"),
        ("9007199254740993 == 9007199254740992.0", "true"),
        ("(inf * 10 - inf * 10) == (inf * 10 - inf * 10)", "false"),
        ("(inf * 10 - inf * 10) != 1", "false"),
        ("1 < (inf * 10 - inf * 10)", "false"),
        ("1 <= (inf * 10 - inf * 10)", "false"),
        ("1 >= (inf * 10 - inf * 10)", "false"),
        ('(inf * 10 - inf * 10) < "a"', "true"),
        ("not (inf * 10 - inf * 10)", "true"),
        ("false < true", "true"),
        ("true < 0", "true"),
        ("5 < {}", "true"),
        ("{} < []", "true"),
        ('[] < ""', "true"),
        ("null < false", "true"),
        ("[1, 2] < [1, 3]", "true"),
        ("[1] < [1, 0]", "true"),
        ("[2] > [1, 9]", "true"),
        ('{"a": 1} < {"a": 2}', "true"),
        ('{"a": 9} < {"b": 1}', "true"),
        ('{"a": 1} < {"a": 1, "b": 0}', "true"),
        ('{"a": [1, {"b": 2}]} == {"a": [1.0, {"b": 2}]}', "true"),
        ('{"a": 1} == {"b": 1}', "false"),
        ("[1] == [1, 2]", "false"),
        ('"\u00e9" < "\U00010000"', "true"),
        ('"a" <= "a"', "true"),
        ("1 in true", "false"),
        ("1 in null", "false"),
        ("2 in o", "true"),
        ("sort(mixed)", '[null,true,1.0,1,2,{"a":1},[1],"b"]'),
        ("max([1, 1.0, 0])", "1"),
        ("min([1.0, 1, 2])", "1.0"),
        ("first(o)", "1"),
        ("last(o)", "2"),
        ("first(5)", "5"),
        ("length(s)", "7"),
        ("length(o)", "2"),
        ("length(nil)", "0"),
        ("length(true)", "1"),
        ("at([1, 2], true)", "2"),
        ("at([1, 2], 4294967297)", "2"),
        ("at([1, 2], 1.9)", "2"),
        ("divisibleBy(7, 0.5)", "false"),
        ('divisibleBy("x", 0)', "false"),
        ("divisibleBy(min, -1)", "true"),
        ('existsIn(o, "a")', "true"),
        ('existsIn([1], "a")', "false"),
        ("range(2.9)", "[0,1]"),
        ('join(o, "-")', "1-2"),
        ('join(null, "-")', ""),
        ('join([[1], {}, null, "x"], "")', "[1]{}nullx"),
        ("round(2.5, 0)", "3"),
        ("round(-0.04, 1)", "-0.0"),
        ("round(0.49999999999999994, 0)", "0"),
        ("round(1, 400)", "null"),
        ("round(1, -400)", "null"),
        ("round(0, -400)", "null"),
        ("round(1e300, 0)", "-2147483648"),
        ("round(-2147483648.4, 0)", "-2147483648"),
        ("round(15, -1)", "20.0"),
        ('upper("\u00e4b")', "\u00e4B"),
        ('lower("\u00c4B")', "\u00c4b"),
        ('int("  -12x")', "-12"),
        ('int("+007")', "7"),
        ('int("0")', "0"),
        ('int("-000")', "0"),
        ('int("2147483647")', "2147483647"),
        ('float(" 0x1p3z")', "8.0"),
        ('float("0x")', "0.0"),
        ('float("0x.8")', "0.5"),
        ('float("0x1.8p")', "1.5"),
        ('float("+.5e1x")', "5.0"),
        ('float("5.")', "5.0"),
        ('float("-1e")', "-1.0"),
        ('float("infinity")', "null"),
        ('float("-nan(x)")', "null"),
        ('float("0e999")', "0.0"),
        ('float("2.3e-308")', "2.3e-308"),
        ("isInteger(big)", "true"),
        ("isNumber(1.0)", "true"),
        ("isFloat(1)", "false"),
        ("isBoolean(false)", "true"),
        ("isString(s)", "true"),
        ("isArray(e)", "true"),
        ("isObject(eo)", "true"),
        ("even(-2)", "true"),
        ("odd(-3)", "true"),
        ("default(o . a, 5)", "1"),
        ('exists("o/a")', "true"),
    ],
)
def test_value(expression: str, expected: str | None) -> None:
    if expected is None:
        assert error_of(f"{{{{ {expression} }}}}", _DATA)[0] == "parse"
    else:
        assert expected == render(f"{{{{ {expression} }}}}", _DATA)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("first(e)", "invalid_iterator.214"),
        ("last(eo)", "invalid_iterator.214"),
        ("max(nil)", "invalid_iterator.214"),
        ("min(e)", "invalid_iterator.214"),
        ("at([1], -1)", "array index 18446744073709551615 is out of range"),
        ("at([1], 1)", "array index 1 is out of range"),
        ("at(o, 1)", "type must be string, but is number"),
        ('at(5, "x")', "type must be number, but is string"),
        ("at(5, 0)", "cannot use at() with number"),
        ('at(o, "z")', "key 'z' not found"),
        ("range(-1)", "max_size"),
        ("range(true)", "type must be number, but is boolean"),
        ("sort(o)", "type must be array, but is object"),
        ('int("")', "stoi"),
        ('int("-")', "stoi"),
        ('int("2147483648")', "stoi"),
        ('int("99999999999999999999")', "stoi"),
        ('float("")', "stod"),
        ('float(".")', "stod"),
        ('float("1e400")', "stod"),
        ('float("1e-310")', "stod"),
        ('float("0x1p99999")', "stod"),
        ('float("0x1p-2000")', "stod"),
        ("int(nil)", "get_ref, actual type is null"),
        ("join([1], 1)", "type must be string, but is number"),
        ("upper(o)", "type must be string, but is object"),
        ("exists(1)", "get_ref, actual type is number"),
        ("1 + true", "type must be number, but is boolean"),
        ("default(o . z, 1)", "key 'z' not found"),
    ],
)
def test_error(expression: str, message: str) -> None:
    kind, text = error_of(f"{{{{ {expression} }}}}", _DATA)
    assert kind == "render"
    assert message in text


def test_unsigned_number_keeps_its_value_within_json() -> None:
    assert render("{{ x }}{{ x.0 }}", {"x": [2**64 - 1]}) == "[18446744073709551615]-1"


def test_halves_of_a_character_become_one_again() -> None:
    data: JsonValue = {"a": "\udcc3", "b": "\udca9"}
    assert render('{{ a + b == "\u00e9" }}', data) == "true"
    assert render("{{ a }}{{ b }}", data) == "\u00e9"
    assert render('{{ join([], "") + a + b }}', data) == "\u00e9"


def test_data_with_a_lone_surrogate_is_an_error() -> None:
    assert "no text" in error_of("{{ a }}{{ a }}", {"a": "\ud800"})[1]


def test_string_that_is_no_utf8_prints_raw_but_not_as_json() -> None:
    data: JsonValue = {"a": "\udcff"}
    assert render("{{ a }}", data) == "\udcff"
    assert "316" in error_of("{{ a }}", data, escape=True)[1]
    assert "316" in error_of("{{ x }}", {"x": ["\udcff"]})[1]
