"""Request targets: one spelling, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.http1.paths import Target, read_target
from wardgate.url_path import normalise


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b=/../c", Target(b"/a", b"b=/../c")),
        (b"/%61dmin//x?%61=//%zz%00", Target(b"/admin/x", b"%61=//%zz%00")),
        (b"//host/a", Target(b"/host/a")),
        (b"http://host//%61dmin/%2e%2E/b", Target(b"/b", None, b"host")),
        (b"http://host\\admin", Target(b"/admin", None, b"host")),
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
        b"/a%00",
        b"/a%zz",
        b"/a%6",
        b"/a/..%2fb",
        b"http://host/%00",
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


@given(st.binary(max_size=40), st.sampled_from([b"GET", b"OPTIONS"]))
def test_any_bytes_are_read_or_refused(target: bytes, method: bytes) -> None:
    read = read_target(target, method=method)
    assert read is None or read.path == b"*" or read.path.startswith(b"/")


@given(st.lists(st.sampled_from(b"/.%?ab;[~-_{"), max_size=20).map(lambda tail: b"/" + bytes(tail)))
def test_short_cut_for_plain_targets_reads_what_the_long_way_reads(target: bytes) -> None:
    path, mark, query = target.partition(b"?")
    form = normalise(path)
    expected = None if form is None else Target(form, query if mark else None)
    assert expected == read_target(target, method=b"GET")
