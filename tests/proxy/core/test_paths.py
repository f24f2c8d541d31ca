"""Request targets: one spelling, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.paths import Target, normalise, read_target


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (b"/", b"/"),
        (b"/a/b", b"/a/b"),
        (b"/a/../b", b"/b"),
        (b"/a/./b", b"/a/b"),
        (b"/a/%2e%2e/b", b"/b"),
        (b"/a/%2E./b", b"/b"),
        (b"/a/.%2e/b", b"/b"),
        (b"/a/%2e/b", b"/a/b"),
        (b"/a\\b", b"/a/b"),
        (b"/a\\..\\b", b"/b"),
        (b"/..", b"/"),
        (b"/../../etc", b"/etc"),
        (b"/a/..", b"/"),
        (b"/a/b/..", b"/a/"),
        (b"/a/b/.", b"/a/b/"),
        (b"/a//b", b"/a//b"),
        (b"/a%2Fb/%61", b"/a%2Fb/%61"),
        (b"/a/..b/c..", b"/a/..b/c.."),
        (b"/a%2eb", b"/a%2eb"),
        (b"/a/..;/b", b"/a/..;/b"),
    ],
)
def test_path_has_one_spelling(written: bytes, expected: bytes) -> None:
    assert expected == normalise(written)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b=/../c", Target(b"/a", b"b=/../c")),
        (b"/a?", Target(b"/a", b"")),
        (b"/a?b?c", Target(b"/a", b"b?c")),
        (b"http://Host:80/a/../b?q", Target(b"/b", b"q", b"Host:80")),
        (b"HTTPS://host", Target(b"/", None, b"host")),
        (b"http://host?q", Target(b"/", b"q", b"host")),
        (b"http://[::1]:8080/x", Target(b"/x", None, b"[::1]:8080")),
    ],
)
def test_target_is_split(target: bytes, expected: Target) -> None:
    assert expected == read_target(target, method=b"GET")


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"a",
        b"*",
        b"host:443",
        b"/a b",
        b"/a\x00",
        b"/a\x7f",
        b"/\xc3\xa9",
        b"/a\r\nx: y",
        b"/a#b",
        b"http://",
        b"http:///a",
        b"http://user@host/",
        b"ftp://host/",
        b"http://host:port/",
    ],
)
def test_target_without_a_clear_reading_is_refused(target: bytes) -> None:
    assert read_target(target, method=b"GET") is None


def test_asterisk_is_for_options_only() -> None:
    assert Target(b"*") == read_target(b"*", method=b"OPTIONS")


@given(
    st.lists(st.sampled_from([b"/", b".", b"..", b"%2e", b"%2E", b"\\", b"a", b"%2f", b"%5c", b"?", b";"]), max_size=24)
)
def test_normalised_path_has_no_dot_segment_and_is_stable(parts: list[bytes]) -> None:
    target = read_target(b"/" + b"".join(parts), method=b"GET")
    assert target is not None
    assert target.path.startswith(b"/")
    assert b"\\" not in target.path
    segments = [segment.lower().replace(b"%2e", b".") for segment in target.path.split(b"/")]
    assert not {b".", b".."} & set(segments)
    assert target.path == normalise(target.path)


@given(st.binary(max_size=40), st.sampled_from([b"GET", b"OPTIONS"]))
def test_any_bytes_are_read_or_refused(target: bytes, method: bytes) -> None:
    read = read_target(target, method=method)
    assert read is None or read.path == b"*" or read.path.startswith(b"/")
