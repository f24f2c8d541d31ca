"""Linear time, by construction: which engine an expression gets, and what bounds the engine that needs bounding."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wardgate.inja.errors import ConfigError, LimitError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.limits import DEFAULT_LIMITS
from wardgate.inja.linear import Use, is_provably_linear
from wardgate.inja.regex import parse_regex


def _is_proven(regex: str, use: Use = Use.WHOLE) -> bool:
    return is_provably_linear(parse_regex(regex).tree, use)


@pytest.mark.parametrize(
    "regex",
    [
        "",
        "abc",
        ".*",
        "(.*)",
        "^.*$",
        "Bearer (.*)",
        "^Bearer (.*)$",
        ".*?",
        r"(\d{4})-(\d{2})-(\d{2})",
        "[a-z]+",
        r"(\w+)\s+(\w+)",
        "([^/]*)/(.*)",
        r"/api/(v\d)/.*",
        ".*suffix",
        "[^=]*=[^&]*&x",
        "[a-z]{1,5}-[0-9]+",
    ],
)
def test_everyday_expression_is_proven(regex: str) -> None:
    assert _is_proven(regex)


@pytest.mark.parametrize(
    "regex",
    [
        "(a+)+b",
        "(a|a)*b",
        "(x+x+)+y",
        ".*.*=.*",
        "(.*)a(.*)b",
        r"\w*\d+",
        "([^/]*)/?.*",
        "[[:space:]]*(.*?)[[:space:]]*",
        "a?a?a?a?aaaa",
        "(a)|(b)",
        r"\ba",
        "a^b",
        ".*" + "a" * 33,
        "a*b{0}a*c",
    ],
)
def test_expression_that_could_backtrack_is_left_to_re2(regex: str) -> None:
    assert not _is_proven(regex)


@pytest.mark.parametrize("regex", ["a", "abc", r"\d+", "ab*", r"x\d{2,}", '"[^"]*"', r"<[a-z]+ [a-z]+>"])
def test_searching_is_proven_where_attempts_do_not_overlap(regex: str) -> None:
    assert _is_proven(regex, Use.SEARCH)


@pytest.mark.parametrize(
    "regex", ["a*b", r"\d+x", "a+b", "a[ab]*c", "^a", "a$", "a" * 65, "", "a?", "a{65,}", "(a|b)", ".*suffix"]
)
def test_searching_is_not_proven_where_attempts_may_overlap(regex: str) -> None:
    assert not _is_proven(regex, Use.SEARCH)


@pytest.mark.parametrize("regex", ["(a+)+b", "(a|a)*b", "(x+x+)+y", "a?" * 200 + "a" * 200, "(.*)(.*)(.*)(.*)x"])
def test_expression_that_explodes_elsewhere_finishes(regex: str) -> None:
    value = "a" * 10_000
    assert compile_extractor(regex=regex).extract(value) == ""
    assert compile_extractor(regex=regex, mode="SINGLE_REPLACE", replacement="").extract(value) == value


def test_replacing_that_would_be_quadratic_is_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, replace_work=1_000_000, steps=1_000_000)
    extractor = compile_extractor(regex="a.*z|a", mode="REPLACE_ALL", replacement="-", limits=limits)
    assert extractor.extract("a" * 1_000) == "-" * 1_000
    with pytest.raises(LimitError, match="1000000 bytes"):
        extractor.extract("a" * 2_000)


def test_replacing_with_a_longest_match_is_not_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, replace_work=10)
    extractor = compile_extractor(regex="(foo|ba?r)", mode="REPLACE_ALL", replacement="-", limits=limits)
    assert extractor.extract("foo bar br" * 1_000) == "- - -" * 1_000


def test_replacing_that_adds_too_much_is_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, output_bytes=1_000)
    extractor = compile_extractor(regex="a", mode="REPLACE_ALL", replacement="$'", limits=limits)
    assert len(extractor.extract("a" * 40)) == 780
    with pytest.raises(LimitError, match="adds more than 1000 bytes"):
        extractor.extract("a" * 100)


@pytest.mark.parametrize("mode", ["EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL"])
def test_value_that_re2_might_need_too_long_for_is_refused(mode: str) -> None:
    limits = replace(DEFAULT_LIMITS, regex_work=10_000)
    text = None if mode == "EXTRACT" else ""
    extractor = compile_extractor(regex="(a|b)*c", mode=mode, replacement=text, limits=limits)
    extractor.extract("ab")
    with pytest.raises(LimitError, match="too long for this regex"):
        extractor.extract("ab" * 5_000)


def test_memory_of_an_expression_is_bounded() -> None:
    with pytest.raises(ConfigError, match="Invalid regex"):
        compile_extractor(regex="(?:[a-c]|[d-f]|x){999}", limits=replace(DEFAULT_LIMITS, regex_memory=4096))
