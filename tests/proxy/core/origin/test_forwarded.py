"""The words of believed proxies, by the rules at the top of their module."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.origin.forwarded import believed_addresses, believed_host, believed_scheme


@pytest.mark.parametrize(
    ("values", "hops", "expected"),
    [
        # As in the examples of Envoy's documentation of x-forwarded-for: the caller is the N-th from the end.
        ([b"203.0.113.128, 203.0.113.10, 203.0.113.1"], 1, ("203.0.113.1",)),
        ([b"203.0.113.128, 203.0.113.10, 203.0.113.1"], 2, ("203.0.113.10", "203.0.113.1")),
        ([b"198.51.100.1", b"198.51.100.2,198.51.100.3"], 2, ("198.51.100.2", "198.51.100.3")),
        ([b"198.51.100.1", b"198.51.100.2"], 2, ("198.51.100.1", "198.51.100.2")),
        ([b"192.0.2.1"], 2, ()),
        ([], 1, ()),
        ([b"192.0.2.1, "], 1, ()),
        ([b""], 1, ()),
        ([b"<script>, 192.0.2.1"], 1, ("192.0.2.1",)),
        ([b"192.0.2.1, unknown"], 2, ()),
        ([b"192.0.2.1, unknown"], 1, ()),
    ],
)
def test_caller_is_counted_from_the_end(values: list[bytes], hops: int, expected: tuple[str, ...]) -> None:
    assert expected == believed_addresses(values, hops)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([b"https"], b"https"), ([b"HTTP"], b"http"), ([b"http, https"], b"https"), ([b"ftp"], None), ([], None)],
)
def test_scheme_is_one_of_two(values: list[bytes], expected: bytes | None) -> None:
    assert expected == believed_scheme(values)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([b"api.example.com"], b"api.example.com"),
        ([b"evil.example, api.example.com:8443"], b"api.example.com:8443"),
        ([b"a b"], None),
        ([b""], None),
        ([], None),
    ],
)
def test_host_is_a_host(values: list[bytes], expected: bytes | None) -> None:
    assert expected == believed_host(values)


MEMBER = st.sampled_from([b"192.0.2.1", b"[::1]:80", b"::1", b"", b" ", b"unknown", b":", b"[", b"]", b"\xff", b"%"])

LISTS = st.lists(st.lists(MEMBER | st.binary(max_size=8), max_size=5).map(b",".join), max_size=4)


@pytest.mark.no_cover
@given(
    st.lists(st.lists(st.one_of(MEMBER, st.binary(max_size=8)), max_size=5).map(b",".join), max_size=4),
    st.integers(1, 5),
)
def test_nothing_that_a_caller_writes_moves_the_last_members(values: list[bytes], hops: int) -> None:
    trusted = [b"198.51.100.%d" % number for number in range(hops)]
    expected = tuple(member.decode() for member in trusted)
    assert expected == believed_addresses([*values, b", ".join(trusted)], hops)
    assert expected == believed_addresses([*values, *trusted], hops)


def test_huge_list_is_read_from_its_end_alone() -> None:
    huge = b"10.0.0.1, " * 100_000 + b"192.0.2.1"
    assert ("192.0.2.1",) == believed_addresses([huge], 1)
