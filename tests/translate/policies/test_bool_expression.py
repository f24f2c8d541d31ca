"""``booleanExpr``: what it means, where it breaks, how deep and long it may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.ir import BoolAnd, BoolExpr, BoolNot, BoolOr, BoolStep
from wardgate.translate.policies.bool_expression import (
    MAX_DEPTH,
    MAX_LENGTH,
    BoolSyntaxError,
    ParsedExpression,
    parse_bool_expression,
    passes_without_proof,
    steps_of,
)

A, B, C = BoolStep("a"), BoolStep("b"), BoolStep("c")


def parsed(text: str) -> ParsedExpression:
    result = parse_bool_expression(text)
    assert isinstance(result, ParsedExpression), result
    return result


def failure(text: str) -> BoolSyntaxError:
    result = parse_bool_expression(text)
    assert isinstance(result, BoolSyntaxError), result
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a", A, id="one name"),
        pytest.param("config_0 && x.y/z-1", BoolAnd((BoolStep("config_0"), BoolStep("x.y/z-1"))), id="names"),
        pytest.param("a && b && c", BoolAnd((A, B, C)), id="a chain stays flat"),
        pytest.param("a || b || c", BoolOr((A, B, C)), id="an alternative stays flat"),
        pytest.param("a || b && c", BoolOr((A, BoolAnd((B, C)))), id="and binds tighter than or"),
        pytest.param("(a || b) && c", BoolAnd((BoolOr((A, B)), C)), id="parentheses come first"),
        pytest.param("!a && b", BoolAnd((BoolNot(A), B)), id="not binds tightest"),
        pytest.param("a && !(b || c)", BoolAnd((A, BoolNot(BoolOr((B, C))))), id="not of a parenthesis"),
        pytest.param("!!a", BoolNot(BoolNot(A)), id="double negation"),
        pytest.param("\t(a)\r\n&&b ", BoolAnd((A, B)), id="white space"),
    ],
)
def test_expression_is_read(text: str, expected: BoolExpr) -> None:
    assert expected == parsed(text).expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "at column 1: expected the name of a config, found the end"),
        ("  ", "at column 3: expected the name of a config, found the end"),
        ("a &&", "at column 5: expected the name of a config, found the end"),
        ("a && && b", 'at column 6: expected the name of a config, found "&&"'),
        ("(a || b", 'at column 8: expected ")", found the end'),
        ("(a b)", 'at column 4: expected ")", found "b"'),
        ("a)", 'at column 2: expected "&&", "||" or the end, found ")"'),
        ("a b", 'at column 3: expected "&&", "||" or the end, found "b"'),
        ("a &  b", "at column 3: unexpected character '&'"),
        ("  ä", "at column 3: unexpected character '\\xe4'"),
        ("()", 'at column 2: expected the name of a config, found ")"'),
    ],
)
def test_syntax_error_tells_its_column(text: str, expected: str) -> None:
    assert expected == str(failure(text))


def test_expression_at_the_depth_limit_is_read() -> None:
    assert parsed("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH).expression == A


@pytest.mark.parametrize("opening", ["(", "!", "!("])
def test_deep_expression_is_refused(opening: str) -> None:
    assert f"more than {MAX_DEPTH}" in failure(opening * (MAX_DEPTH + 1)).message


def test_long_expression_is_refused() -> None:
    assert f"longer than {MAX_LENGTH}" in failure("a" * (MAX_LENGTH + 1)).message


def test_longest_chain_is_read() -> None:
    assert parsed("||".join("a" * 2000)).expression.operands[-1] == A  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "mixes"),
    [("a && b || c", True), ("a || b && c", True), ("(a && b) || c", False), ("a && b && c", False), ("a || b", False)],
)
def test_operators_side_by_side_are_noticed(text: str, *, mixes: bool) -> None:
    assert mixes == parsed(text).mixes_operators


def test_mixture_within_parentheses_is_noticed() -> None:
    assert parsed("(a && b || c) && d").mixes_operators


def test_steps_are_listed_from_left_to_right() -> None:
    assert list(steps_of(parsed("c && (!a || b) && a").expression)) == ["c", "a", "b", "a"]


@pytest.mark.parametrize("text", ["!a", "a || !b", "!a && !b", "!(a && b)", "!!!a"])
def test_expression_that_needs_no_proof_is_noticed(text: str) -> None:
    assert passes_without_proof(parsed(text).expression)


@pytest.mark.parametrize("text", ["a", "a && !b", "!!a", "(a || b) && !c", "!(a || !b)"])
def test_expression_that_needs_proof_is_accepted(text: str) -> None:
    assert not passes_without_proof(parsed(text).expression)


@given(st.text(alphabet="ab&|!() \n%", max_size=60))
def test_any_text_is_an_expression_or_an_error_within_it(text: str) -> None:
    result = parse_bool_expression(text)
    assert isinstance(result, ParsedExpression) or 1 <= result.column <= len(text) + 1
