"""The rules of ``http_grammar``, byte by byte, as the RFCs word them."""

from __future__ import annotations

import re
import string
from itertools import product

import pytest

from wardgate.field_names import TAKEN_OFF
from wardgate.proxy.core.grammar import (
    BREAKS_FRAMING,
    FIELD_LINE,
    HOST,
    PROXY_WRITTEN,
    UNSENDABLE,
    connection_options,
    is_field_name,
    is_host,
    is_method,
    is_sendable_path,
    members,
)
from wardgate.proxy.core.http1.request_head import RequestHead, parse_request_head
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.replies import basic_refusal
from wardgate.translate.policies.header_names import is_token, request_header_fault
from wardgate.translate.tables.actions import _AUTHORITY

BYTES = [bytes((byte,)) for byte in range(256)]
TCHARS = ("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters).encode()


def test_a_field_name_is_made_of_the_characters_of_a_token() -> None:
    assert set(TCHARS) == {byte[0] for byte in BYTES if is_field_name(byte)}


def test_a_policy_may_use_the_names_that_the_proxy_takes_for_names() -> None:
    assert set(TCHARS) == {byte[0] for byte in BYTES if is_token(byte.decode("latin-1"))}


@pytest.mark.parametrize("name", [b"", b"x y", b"x:", b"x\r", b"x\n", b"\xe9"])
def test_what_is_no_token_names_no_field(name: bytes) -> None:
    assert not is_field_name(name)


def test_a_method_is_a_token_of_bounded_length() -> None:
    methods = [b"GET", b"M-SEARCH", b"M" * 32, b"", b"M" * 33, b"GET ", b"GE:T"]
    assert [True, True, True, False, False, False, False] == [is_method(method) for method in methods]


def test_a_value_holds_no_control_character_but_the_tab() -> None:
    refused = {byte[0] for byte in BYTES if UNSENDABLE.search(byte)}
    assert {*range(0x20), 0x7F} - {0x09} == refused


def test_a_field_line_holds_what_a_value_may_hold() -> None:
    line = re.compile(FIELD_LINE)
    assert [UNSENDABLE.search(byte) is None for byte in BYTES] == [
        line.fullmatch(b"a:" + byte) is not None for byte in BYTES
    ]


def test_what_breaks_framing_is_never_sendable() -> None:
    assert [b"\r", b"\n", b"\0"] == list(BREAKS_FRAMING)
    assert all(UNSENDABLE.search(byte) for byte in BREAKS_FRAMING)


def test_a_path_holds_neither_blanks_nor_controls_nor_a_fragment() -> None:
    assert {*range(0x21), 0x7F, ord("#")} == {byte[0] for byte in BYTES if not is_sendable_path(byte)}


@pytest.mark.parametrize(
    "host",
    [
        b"example.com",
        b"example.com:443",
        b"EXAMPLE.com.",
        b"192.0.2.1",
        b"[2001:db8::1]",
        b"[::1]:8080",
        b"a_b",
        b"%41",
    ],
)
def test_a_name_or_an_address_is_a_host(host: bytes) -> None:
    assert is_host(host)
    assert HOST.fullmatch(host)


@pytest.mark.parametrize(
    "host",
    [
        *(
            b"",
            b":80",
            b"a:",
            b"a:123456",
            b"a:8o",
            b"a b",
            b"a/b",
            b"u@a",
            b"a,b",
            b"a;b",
            b"a\r\n",
            b"a\n",
            b"\xc3\xa4",
        ),
        *(b"[]", b"[::1", b"::1", b"[fe80::1%25eth0]", b"[v1.a]", b"[::1]a", b"a#b", b"a?b", b"a\\b", b"a'b", b"a(b)"),
    ],
)
def test_what_two_readers_could_take_for_two_hosts_is_none(host: bytes) -> None:
    assert not is_host(host)


def test_members_of_a_list_stand_in_one_field_or_in_several() -> None:
    assert [b"a", b"b c", b"", b"d"] == list(members([b" a,\tb c ,", b"d"]))


def test_connection_options_are_compared_in_lower_case() -> None:
    assert {b"close", b"x-hop"} == connection_options([b"Close", b" X-Hop\t"])


def test_every_spelling_of_a_hop_by_hop_header_ends_here() -> None:
    assert {b"transfer-encoding", b"transfer_encoding", b"keep_alive", b"te"} <= PROXY_WRITTEN


def test_a_realm_is_told_without_what_no_header_can_carry() -> None:
    """A tab may stand in a quoted string (RFC 9110, 5.6.4): ``qdtext = HTAB / SP / %x21 / ...``."""
    reply = basic_refusal('a\tb\r\n\0\x7f"\\é', ReplyReason.PASSWORD_WRONG)
    assert ((b"www-authenticate", b'Basic realm="a\tb\\"\\\\\xc3\xa9"'),) == reply.headers


def test_every_host_that_an_owner_may_write_is_one_that_the_proxy_sends() -> None:
    """A route whose host the translation passes and the proxy refuses would be closed without a word to its owner."""
    written = ("".join(each) for length in range(1, 6) for each in product("a1.-_:[]", repeat=length))
    assert [] == [host for host in written if _AUTHORITY.fullmatch(host) and not is_host(host.encode())]


@pytest.mark.parametrize("name", sorted(TAKEN_OFF))
def test_a_header_that_the_reader_takes_off_holds_no_key_of_a_policy(name: str) -> None:
    head = parse_request_head(b"GET / HTTP/1.1\r\nHost: h\r\n%b: x\r\n\r\n" % name.encode(), max_headers=10)

    assert isinstance(head, RequestHead)
    assert [] == head.headers
    assert "the proxy takes this header off every request" == request_header_fault(name)
