"""Regular expressions of routes are RE2's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wardgate.inja.errors import ConfigError, LimitError
from wardgate.inja.limits import DEFAULT_LIMITS
from wardgate.inja.route_regex import compile_route_regex


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("/api/v[0-9]+/.*", "/api/v1/x", True),
        ("/api/v[0-9]+", "/api/v1/x", False),
        ("(?i)abc", "ABC", True),
        (r"\p{L}+", "\u00e9", True),
        (".", "\u00e9", True),
        ("a|ab", "ab", True),
        (".*", "\udcff", False),
    ],
)
def test_whole_text_must_match(pattern: str, text: str, *, expected: bool) -> None:
    assert compile_route_regex(pattern).fullmatch(text) is expected


@pytest.mark.parametrize(
    ("pattern", "substitution", "text", "expected"),
    [
        ("^/old/(.*)$", r"/new/\1", "/old/x", "/new/x"),
        ("o", "0", "foo", "f00"),
        ("(a)(b)?", r"[\1\2]", "ab a", "[ab] [a]"),
        ("b*", "-", "abbc", "-a-c-"),
        ("", "-", "ab", "-a-b-"),
        ("^", "-", "ab", "-ab"),
        ("x", "y", "abc", "abc"),
        ("b", r"\\\0", "abc", r"a\bc"),
        ("\u00e9", "e", "caf\u00e9", "cafe"),
    ],
)
def test_every_match_is_replaced(pattern: str, substitution: str, text: str, expected: str) -> None:
    assert expected == compile_route_regex(pattern).sub(substitution, text)


@pytest.mark.parametrize("substitution", [r"\1", r"\x", "\\"])
def test_bad_substitution_is_refused(substitution: str) -> None:
    regex = compile_route_regex("a")
    with pytest.raises(ConfigError, match="Invalid substitution"):
        regex.check_substitution(substitution)


def test_good_substitution_passes() -> None:
    compile_route_regex("(a)").check_substitution(r"x\1\\y")


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)", "a**", "a{1001}"])
def test_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_route_regex(pattern)
    assert caught.value.message.startswith(f"Invalid regex '{pattern}': ")


def test_size_of_a_pattern_is_bounded() -> None:
    with pytest.raises(ConfigError, match="longer than 8192 bytes"):
        compile_route_regex("a" * 8193)
    with pytest.raises(ConfigError, match="instructions"):
        compile_route_regex("[a-z]{900}", limits=replace(DEFAULT_LIMITS, regex_program=100))


def test_pattern_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ConfigError, match="no text"):
        compile_route_regex("\ud800")


def test_pattern_is_kept_for_messages() -> None:
    assert compile_route_regex("a+").pattern == "a+"


@pytest.mark.parametrize("pattern", ["a", "a.*z|a", "[ab]"])
def test_replacing_is_bounded_where_it_would_be_quadratic(pattern: str) -> None:
    regex = compile_route_regex(pattern)
    assert regex.sub("x", "a" * 100) == "x" * 100
    with pytest.raises(LimitError, match="100000 steps"):
        regex.sub("x", "a" * 60_000)
