"""The grammar, as libstdc++ reads it; every expectation was measured there."""

from __future__ import annotations

import pytest

from wardgate.inja.errors import ConfigError
from wardgate.inja.extractors import compile_extractor


@pytest.mark.parametrize(
    ("regex", "value"),
    [
        ("a**", "aaa"),
        ("a+*", "aaa"),
        ("a{2}{3}", "aaaaaa"),
        ("a*??", "aaa"),
        ("[^]", "\n"),
        (r"\cA", "A"),
        (r"\x41", "A"),
        (r"\u0041", "A"),
        (r"\u00e9", "\udce9"),
        (r"\u4141", "A"),
        (r"\0", "\0"),
        (r"\01", "\x001"),
        (r"[\b]", "\b"),
        (r"[\w-]", "-"),
        ("[a-]", "-"),
        ("[-a]", "-"),
        ("[a-c-e]", "-"),
        ("[--a]", "5"),
        ("[!--]", "-"),
        ("[--]", "-"),
        ("[---]", "-"),
        (r"[\--a]", "a"),
        ("[+--]", ","),
        (r"[\x00-\x7f]", "a"),
        (r"[\x80-\xff]+", "\u00e9"),
        ("[[:ALPHA:]]", "a"),
        ("[[:w:]]", "_"),
        ("[[:blank:]]", "\t"),
        ("[[:xdigit:][:punct:]]+", "F!"),
        ("[[.a.]]", "a"),
        ("[[.hyphen.]]", "-"),
        ("[[.a.]-c]", "b"),
        ("[[=a=]]", "A"),
        ("[[=a=]]", "a"),
        ("]", "]"),
        ("}", "}"),
        ("a}", "a}"),
        ("|", ""),
        ("a||b", ""),
        ("()", ""),
        ("(|a)", "a"),
        ("(?:)", ""),
        (r"\p\-\/\a\_", "p-/a_"),
        (r"[\]]", "]"),
        (r"[\d\s]+", "5 "),
        (r"[^\d]", "a"),
        (r"[\D]", "a"),
        (r"[\W\w]", "a"),
        (r"\D\S\W", "ab!"),
        ("^^a$$", "a"),
        ("a{0}", ""),
        ("a{0,0}b", "b"),
        (r"[\s]", "\v"),
        (r"[\n-\r]", "\v"),
        ("\n", "\n"),
        ("[\\f\\t\\v]+", "\f\t\v"),
        ("a{2,}", "aaa"),
        ("(?:a|b){1,2}?", "ab"),
    ],
)
def test_matches(regex: str, value: str) -> None:
    assert value == compile_extractor(regex=f"({regex})", subgroup=1).extract(value)
    assert compile_extractor(regex=regex, mode="SINGLE_REPLACE", replacement="hit").extract(value) in ("hit", value)


@pytest.mark.parametrize(
    ("regex", "value"),
    [
        ("[]", "a"),
        ("[]a]", "a]"),
        (r"\cA", "\x01"),
        ("[a-c-e]", "d"),
        ("[\u00e0-\u00fc]", "\u00e9"),
        ("a^b", "ab"),
        ("a$b", "ab"),
        (".", "\n"),
        (".", "\r"),
        (r"\s", "\u00a0"),
        (r"\w", "\u00fc"),
        (r"\d+", "\u0661\u0662"),
    ],
)
def test_does_not_match(regex: str, value: str) -> None:
    extractor = compile_extractor(regex=regex, mode="SINGLE_REPLACE", replacement="hit")
    assert extractor.extract(value) == value


@pytest.mark.parametrize(
    ("regex", "reason"),
    [
        (r"\x4", "2 hexadecimal digits"),
        (r"\u12", "4 hexadecimal digits"),
        (r"\xgg", "2 hexadecimal digits"),
        (r"[\w-a]", "start of a range"),
        ("[[:alpha:]-z]", "start of a range"),
        (r"[a-\w]", "end of a range"),
        ("[a-[:digit:]]", "end of a range"),
        ("[a-[.c.]]", "end of a range"),
        ("[z-a]", "invalid range"),
        ("[a--]", "invalid range"),
        (r"[\x00-\xff]", "invalid range"),
        (r"[a-\xff]", "invalid range"),
        ("[[:word:]]", "character class"),
        ("[[.ab.]]", "collating element"),
        ("[[=ab=]]", "collating element"),
        ("[[.", "'[.' without"),
        ("[[:alpha:]", "'[' without"),
        ("[a", "'[' without"),
        ("[a-", "'[' without"),
        ("[", "'[' without"),
        (r"[\]", "'[' without"),
        (r"[\1]", "no meaning"),
        (r"[\B]", "no meaning"),
        ("[\\", "nothing after"),
        ("\\", "nothing after"),
        (r"\c", "nothing after"),
        ("{", "nothing before '{'"),
        ("{2}", "nothing before '{'"),
        ("*a", "nothing before '*'"),
        ("+", "nothing before '+'"),
        ("^*", "nothing before '*'"),
        (r"\b+", "nothing before '+'"),
        ("a{", "invalid range"),
        ("a{,2}", "invalid range"),
        ("a{ 2}", "invalid range"),
        ("a{2", "'{' without"),
        ("a{2,", "invalid range"),
        ("a{2,1}", "invalid range"),
        ("a{100001}", "too large"),
        ("a{99999999999}", "too large"),
        ("a)", "')' without"),
        ("(a", "'(' without"),
        ("(?:", "'(' without"),
        ("(?<n>a)", "'(?<' does not exist"),
        ("(?<=a)", "'(?<' does not exist"),
        ("(?P<n>a)", "'(?P' does not exist"),
        ("(?i)a", "'(?i' does not exist"),
        ("(?>a)", "'(?>' does not exist"),
        ("(?", "'(?' does not exist"),
        ("(?=a)", "look-ahead '(?=' is not supported"),
        ("(?!a)b", "look-ahead '(?!' is not supported"),
        (r"(a)\1", r"back-reference '\1' is not supported"),
        ("(" * 101, "nested more than"),
        ("a" + "*" * 101, "quantifiers in a row"),
    ],
)
def test_is_refused_with_the_reason(regex: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_extractor(regex=regex)
    assert caught.value.message.startswith(f"Invalid regex '{regex}': ")
    assert reason in caught.value.message
