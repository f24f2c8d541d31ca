"""Extractors: modes, references, configuration errors. Results were measured on libstdc++."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.inja.errors import ConfigError
from wardgate.inja.extractors import compile_extractor
from wardgate.inja.limits import TemplateLimits

_LIMITS = TemplateLimits(steps=200_000)


def _extract(regex: str, value: str, subgroup: int = 0) -> str:
    return compile_extractor(regex=regex, subgroup=subgroup, limits=_LIMITS).extract(value)


def _replace(regex: str, value: str, replacement: str) -> str:
    return compile_extractor(regex=regex, mode="REPLACE_ALL", replacement=replacement).extract(value)


def _single(regex: str, value: str, replacement: str, subgroup: int = 0) -> str:
    extractor = compile_extractor(regex=regex, mode="SINGLE_REPLACE", subgroup=subgroup, replacement=replacement)
    return extractor.extract(value)


@pytest.mark.parametrize("mode", ["EXTRACT", "SINGLE_REPLACE", "REPLACE_ALL"])
def test_missing_header_gives_nothing(mode: str) -> None:
    extractor = compile_extractor(regex=".*", mode=mode, replacement=None if mode == "EXTRACT" else "x")
    assert extractor.extract(None) == ""


@pytest.mark.parametrize(
    ("regex", "value", "subgroup", "expected"),
    [
        ("(?:(a)|(b))*", "ab", 1, "a"),
        ("(?:(a)|(b))*", "ab", 2, "b"),
        ("(z)((a+)?(b+)?(c))*", "zaacbbbcac", 4, "bbb"),
        ("(a|ab)(c|bcd)(d*)", "abcd", 2, "bcd"),
        ("(a*)+", "aa", 1, ""),
        ("(a*)*", "b", 1, ""),
        ("(a{0,2}){2}", "aaaa", 1, "aa"),
        ("(a){0}b", "b", 1, ""),
        ("(a|b){2,3}?c", "abac", 1, "a"),
        ("a{1001}", "a" * 1001, 0, "a" * 1001),
        ("(?:ab){1001,}", "ab" * 1002, 0, "ab" * 1002),
        ("(?:a|b){0,1500}", "ab" * 700, 0, "ab" * 700),
        ("(?:(a){40}|b){40}", "a" * 1600, 1, "a"),
        ("...", "\u2028", 0, "\u2028"),
        (".", "\u00e9", 0, ""),
        ("(.)(.)", "\u00e9", 1, "\udcc3"),
        ("[\u00fc]+", "\u00fc", 0, "\u00fc"),
        ("[\u00e0-\u00fc]+", "\u00e0\u00fc", 0, "\u00e0\u00fc"),
        (r"\bab\b", "ab", 0, "ab"),
        (r"a\Bb", "ab", 0, "ab"),
        ("^ab$", "ab", 0, "ab"),
        ("a|^$", "", 0, ""),
        ("a\nb", "a\nb", 0, "a\nb"),
        (".*", "\udcff", 0, "\udcff"),
    ],
)
def test_extract(regex: str, value: str, subgroup: int, expected: str) -> None:
    assert expected == _extract(regex, value, subgroup)


@pytest.mark.parametrize(
    ("regex", "value", "subgroup", "expected"),
    [
        ("a|ab", "ab", 0, "ab"),
        ("ab|a", "ab", 0, "X"),
        ("(a*)+", "aa", 1, "aaX"),
        ("(a)|b", "b", 1, "bX"),
        ("(a)|(b)", "b", 2, "X"),
        ("", "", 0, "X"),
        ("b", "ab", 0, "ab"),
    ],
)
def test_single_replace(regex: str, value: str, subgroup: int, expected: str) -> None:
    assert expected == _single(regex, value, "X", subgroup)


@pytest.mark.parametrize(
    ("regex", "value", "replacement", "expected"),
    [
        ("a*?", "aaa", "-", "---"),
        ("a?", "aaa", "-", "---"),
        ("(a|)(b|)", "xab", "[$1,$2]", "x[a,b]"),
        ("^a", "aaa", "-", "-aa"),
        ("a$", "aaa", "-", "aa-"),
        (r"\b", "ab cd", "-", "ab cd"),
        (r"\bc", "ab cd", "-", "ab -d"),
        (r"\Bb", "ab bb", "-", "a- b-"),
        ("b", "abc", "$0", "abc"),
        ("b", "abc", "$", "a$c"),
        ("b", "abc", "$x", "a$xc"),
        ("(b)", "abc", "$01", "abc"),
        ("(b)", "abc", "$00", "abc"),
        ("(b)", "abc", "$10", "ac"),
        ("(b)", "abc", "$2", "ac"),
        ("(b)", "abc", "$1x$&", "abxbc"),
        ("(b)", "abc", "$$1", "a$1c"),
        ("(b)", "abcb", "<$`|$'>", "a<a|cb>c<c|>"),
        ("(a)(b)?", "ac", "[$2]", "[]c"),
        ("x*", "axb", "-", "a-b"),
        ("(?:a|b)*", "abcab", "-", "-c-"),
        ("(?:a??)*", "aa", "-", "--"),
        ("(?:a?){2}b?", "aab", "-", "-"),
        ("((?:)[^]{0,2}){1,2}?\\w", "1a", "$1", "1"),
        ("()", "abc", "-", "abc"),
        ("(?:^|x)+", "axx", "-", "a-"),
        ("(?:|a)+", "aa", "-", "--"),
        ("a{0}", "aa", "-", "aa"),
        ("(?:^)*a", "aa", "-", "--"),
        ("(b|\u00e9)", "a\u00e9", "$1$1", "a\u00e9\u00e9"),
        ('"[^"]*"', '"a" b "c"', "q", "q b q"),
        ("a.*z|a", "aab", "-", "--b"),
    ],
)
def test_replace_all(regex: str, value: str, replacement: str, expected: str) -> None:
    assert expected == _replace(regex, value, replacement)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subgroup": 2, "regex": "(a)"}, "group 2 requested for regex with only 1 sub groups"),
        ({"subgroup": -1}, "group -1 requested for regex with only 0 sub groups"),
        ({"mode": "SINGLE_REPLACE"}, "SINGLE_REPLACE mode set but no replacement text provided"),
        ({"mode": "REPLACE_ALL"}, "REPLACE_ALL mode set but no replacement text provided"),
        (
            {"mode": "REPLACE_ALL", "replacement": "", "subgroup": 1, "regex": "(a)"},
            "REPLACE_ALL mode set but subgroup is not 0",
        ),
        ({"replacement": "x"}, "EXTRACT mode set but replacement text provided"),
        ({"mode": "extract"}, "Unknown mode 'extract'; there are EXTRACT, SINGLE_REPLACE, REPLACE_ALL"),
        ({"regex": "("}, "Invalid regex '(': '(' without ')'"),
        ({"regex": "(?:a{1000}){1000}"}, "Invalid regex '(?:a{1000}){1000}': "),
        ({"regex": "(?:(?:a|b){100}){101}"}, "Invalid regex '(?:(?:a|b){100}){101}': it needs more than"),
        ({"regex": "(?:(?:a{1000}){1000}){1000}"}, "the expression is too large"),
        ({"regex": "a" * 8193}, "it is longer than 8192 bytes"),
        ({"regex": "\ud800"}, "it holds a character that is no text"),
        (
            {"regex": "(?:a?){100}", "mode": "REPLACE_ALL", "replacement": ""},
            "Invalid regex '(?:a?){100}': too many ways to match nothing",
        ),
    ],
)
def test_configuration_error_has_the_filters_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_extractor(**{"regex": "a", **options})
    assert caught.value.kind == "config"
    assert message in caught.value.message


def test_empty_replacement_is_a_replacement() -> None:
    assert _replace("b", "abc", "") == "ac"
    assert compile_extractor(regex="a", replacement="").extract("a") == "a"
