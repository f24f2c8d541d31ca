"""The PROXY protocol, by the rules at the top of its module."""

from __future__ import annotations

import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wardgate.proxy.core.origin.proxy_header import LONGEST, SIGNATURE, Introduction, Unread, read_introduction

LINE = b"PROXY TCP4 192.0.2.1 198.51.100.9 56324 443\r\n"
IPV4, IPV6, UNIX = 0x11, 0x21, 0x31
LOCAL, PROXY = 0x20, 0x21
FOUR = socket.inet_aton("192.0.2.1") + socket.inet_aton("198.51.100.9") + b"\xdc\x04\x01\xbb"
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6, "2001:db8::2") + bytes(4)


def binary(command: int, family: int, rest: bytes, *, length: int | None = None) -> bytes:
    size = len(rest) if length is None else length
    return SIGNATURE + bytes((command, family)) + size.to_bytes(2, "big") + rest


GOOD = {
    "a line for IPv4": (LINE, "192.0.2.1"),
    "a line for IPv6": (b"PROXY TCP6 2001:DB8:0::1 2001:db8::2 1 0\r\n", "2001:db8::1"),
    "the longest line": (b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n", ""),
    "a line with IPv4 in IPv6": (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 0\r\n", "192.0.2.1"),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", ""),
    "UNKNOWN with addresses": (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ""),
    "IPv4": (binary(PROXY, IPV4, FOUR), "192.0.2.1"),
    "IPv4 with TLVs": (binary(PROXY, IPV4, FOUR + b"\xea\x00\x03abc" + bytes(500)), "192.0.2.1"),
    "IPv6": (binary(PROXY, IPV6, SIX), "2001:db8::1"),
    "a health check": (binary(LOCAL, 0, b""), ""),
    "a health check with addresses": (binary(LOCAL, IPV4, FOUR), ""),
    "no family": (binary(PROXY, 0, b"anything"), ""),
    "a Unix socket": (binary(PROXY, UNIX, b"/tmp/a".ljust(108, b"\0") * 2), ""),
    "the longest one": (binary(PROXY, IPV4, FOUR + bytes(LONGEST - 16 - 12)), "192.0.2.1"),
}


@pytest.mark.parametrize(("header", "source"), GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("after", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", LINE], ids=["", "tls", "http", "proxy"])
def test_header_introduces_a_caller_and_leaves_what_follows(header: bytes, source: str, after: bytes) -> None:
    assert Introduction(len(header), source) == read_introduction(header + after)


@pytest.mark.parametrize("header", [header for header, _ in GOOD.values()], ids=GOOD)
def test_every_beginning_of_a_header_waits_for_more(header: bytes) -> None:
    assert {Unread.UNFINISHED} == {read_introduction(header[:size]) for size in range(len(header))}


BAD = {
    "no header": b"GET / HTTP/1.1\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00",
    "another case": b"proxy TCP4 192.0.2.1 198.51.100.9 1 2\r\n",
    "a line that ends with LF": b"PROXY TCP4 192.0.2.1 198.51.100.9 1 2\n",
    "a line that is too long": b"PROXY UNKNOWN " + b"f" * 92 + b"\r\n",
    "a line without an end": b"PROXY TCP4 " + b"1" * 97,
    "two blanks": b"PROXY  TCP4 192.0.2.1 198.51.100.9 1 2\r\n",
    "a blank at the end": b"PROXY TCP4 192.0.2.1 198.51.100.9 1 2 \r\n",
    "UNKNOWN and more": b"PROXY UNKNOWNX\r\n",
    "a bare CR": b"PROXY UNKNOWN a\rb\r\n",
    "another family": b"PROXY UDP4 192.0.2.1 198.51.100.9 1 2\r\n",
    "no address": b"PROXY TCP4 192.0.2.256 198.51.100.9 1 2\r\n",
    "no destination": b"PROXY TCP4 192.0.2.1 198.51.100 1 2\r\n",
    "an address of the other family": b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "leading zeros": b"PROXY TCP4 192.0.02.1 198.51.100.9 1 2\r\n",
    "a zone": b"PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
    "a port with a zero before it": b"PROXY TCP4 192.0.2.1 198.51.100.9 01 2\r\n",
    "a port that is too large": b"PROXY TCP4 192.0.2.1 198.51.100.9 1 65536\r\n",
    "no port": b"PROXY TCP4 192.0.2.1 198.51.100.9 1\r\n",
    "a signature that breaks off": SIGNATURE[:11] + b"X",
    "version 1 in binary": binary(0x11, IPV4, FOUR),
    "version 3": binary(0x31, IPV4, FOUR),
    "an unknown command": binary(0x22, IPV4, FOUR),
    "too few bytes for IPv4": binary(PROXY, IPV4, FOUR[:-1]),
    "too few bytes for IPv6": binary(PROXY, IPV6, SIX[:-1]),
    "too few bytes for a Unix socket": binary(PROXY, UNIX, bytes(215)),
    "datagrams": binary(PROXY, 0x12, FOUR),
    "an unknown family": binary(PROXY, 0x41, bytes(300)),
    "one byte too many": binary(PROXY, IPV4, b"", length=LONGEST - 16 + 1),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_anything_else_is_refused(data: bytes) -> None:
    assert read_introduction(data) is Unread.REFUSED


TOKENS = st.sampled_from(
    [b"PROXY ", b"TCP4", b"TCP6", b"UNKNOWN", b" ", b"\r\n", b"\n", b"192.0.2.1", b"::1", b"443", SIGNATURE, FOUR, SIX]
)
BYTES = st.one_of(st.binary(max_size=40), TOKENS)


@pytest.mark.no_cover
@given(st.lists(BYTES, max_size=12).map(b"".join), st.binary(max_size=20))
@example(b"PROXY TCP4 ", b"")
def test_more_bytes_never_change_what_was_read(data: bytes, more: bytes) -> None:
    found = read_introduction(data)
    if isinstance(found, Introduction):
        assert found.size <= min(len(data), LONGEST)
        assert found == read_introduction(data + more)
    elif found is Unread.REFUSED:
        assert read_introduction(data + more) is Unread.REFUSED
    else:
        assert len(data) < LONGEST


@pytest.mark.no_cover
@given(st.sampled_from([LOCAL, PROXY]), st.integers(0, 255), st.binary(max_size=300), st.integers(0, 0xFFFF))
def test_binary_header_is_as_long_as_it_says(command: int, family: int, rest: bytes, length: int) -> None:
    found = read_introduction(binary(command, family, rest, length=length))
    if isinstance(found, Introduction):
        assert 16 + length == found.size
    else:
        assert found is Unread.REFUSED or length > len(rest)
