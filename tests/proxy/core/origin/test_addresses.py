"""Addresses as they are read and told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.proxy.core.origin.addresses import read_address, shown_address


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (b"192.0.2.1", "192.0.2.1"),
        (b"192.0.2.1:4711", "192.0.2.1"),
        (b"2001:DB8:0:0::1", "2001:db8::1"),
        (b"[2001:db8::1]", "2001:db8::1"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
        (b"::ffff:192.0.2.1", "192.0.2.1"),
        (b"[::ffff:192.0.2.1]:1", "192.0.2.1"),
        (b"192.0.2.1:", None),
        (b"192.0.2.1:471111", None),
        (b"192.0.2.01", None),
        (b"192.0.2", None),
        (b"[192.0.2.1", None),
        (b"fe80::1%eth0", None),
        (b'"192.0.2.1"', None),
        (b"for=192.0.2.1", None),
        (b"_hidden", None),
        (b"1", None),
        (b"[::1]80", None),
        (b"[::1]:", None),
        (b"[::1]:8a", None),
        (b"1.2.3.4:" + b"1" * 60, None),
        (b"\xd9\xa1.2.3.4", None),
        (b"", None),
    ],
)
def test_address_is_read_with_or_without_its_port(member: bytes, expected: str | None) -> None:
    assert expected == read_address(member)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::1", "::1"),
        ("", ""),
        (":", ":"),
    ],
)
def test_address_of_a_socket_is_told_without_zone_and_mapping(peer: str, expected: str) -> None:
    assert expected == shown_address(peer)


@pytest.mark.no_cover
@given(st.ip_addresses(), st.integers(0, 65535))
def test_address_and_port_are_told_as_the_address(address: object, port: int) -> None:
    text = str(address)
    told = shown_address(text)
    assert told == read_address(text.encode())
    in_full = f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
    assert told == read_address(in_full.encode())


@pytest.mark.no_cover
@given(st.binary(max_size=60))
def test_nothing_that_is_written_breaks_the_reader(member: bytes) -> None:
    told = read_address(member)
    assert told is None or told == read_address(told.encode())
