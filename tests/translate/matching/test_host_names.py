"""Host names and wildcards."""

from __future__ import annotations

import pytest

from wardgate.translate.matching.host_names import common, covers, is_dns_name, is_ip, is_pattern, normal


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("*", "a.test", "a.test"),
        ("a.test", "*", "a.test"),
        ("*.test", "a.test", "a.test"),
        ("*.test", "*.a.test", "*.a.test"),
        ("*.test", "a.b.test", "a.b.test"),
        ("*.test", "test", None),
        ("*.a.test", "*.b.test", None),
        ("a.test", "b.test", None),
        ("*.test", "xtest", None),
        ("*", "*", "*"),
    ],
)
def test_narrower_pattern_is_common(first: str, second: str, expected: str | None) -> None:
    assert expected == common(first, second)


def test_wildcard_does_not_cover_its_own_suffix() -> None:
    assert not covers("*.test", "test")


def test_host_is_made_normal() -> None:
    assert "api.example.com" == normal(" API.Example.com. ")


@pytest.mark.parametrize("name", ["a", "a-b.c_d", "_dmarc.example.com", "a" * 63])
def test_name_that_can_be_looked_up(name: str) -> None:
    assert is_dns_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a..b", "a b", "a" * 64, "a/b", ".".join(["abcd"] * 60), "ä"])
def test_name_that_cannot_be_looked_up(name: str) -> None:
    assert not is_dns_name(name)


@pytest.mark.parametrize("pattern", ["*", "*.a.test", "a.test", "192.0.2.1", "::1"])
def test_pattern(pattern: str) -> None:
    assert is_pattern(pattern)


@pytest.mark.parametrize("pattern", ["", "a.*", "*a.test", "a b", "*."])
def test_no_pattern(pattern: str) -> None:
    assert not is_pattern(pattern)


def test_addresses() -> None:
    assert is_ip("2001:db8::1")
    assert not is_ip("example.com")
