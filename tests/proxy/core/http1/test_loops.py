"""The mark of an installation on the requests that it sends on."""

from __future__ import annotations

import re

import pytest

from tests.proxy.core.http1.test_request_head import accepted
from wardgate.proxy.core.http1.loops import LoopMark

MARK = LoopMark("cluster/namespace/release")
NAME = MARK.after(())[1]


def test_name_is_a_token_that_tells_nothing_of_the_installation() -> None:
    assert re.fullmatch(rb"wardgate-[0-9a-f]{16}", NAME)


def test_proxies_of_an_installation_share_the_name_and_others_do_not() -> None:
    assert MARK.after(()) == LoopMark("cluster/namespace/release").after(())
    assert MARK.after(()) != LoopMark("other/namespace/release").after(())


def test_names_that_came_stand_before_the_own_one() -> None:
    assert MARK.after((b"a; loops=1", b"b")) == (b"cdn-loop", b"a; loops=1, b, " + NAME)


@pytest.mark.parametrize(
    "values",
    [(NAME,), (b"a", NAME), (b"a," + NAME,), (b"a ,\t" + NAME + b" ;x=y, b",), (NAME + b";loops=1",)],
)
def test_own_name_is_found(values: tuple[bytes, ...]) -> None:
    assert MARK.is_in(values)


@pytest.mark.parametrize("values", [(), (b"",), (b"cloudflare",), (NAME[:-1],), (NAME + b"0",), (b"x" + NAME,)])
def test_other_names_are_not_taken_for_it(values: tuple[bytes, ...]) -> None:
    assert not MARK.is_in(values)


def test_names_are_kept_apart_from_the_headers_that_policies_see() -> None:
    head = accepted(b"GET / HTTP/1.1", b"Host: h", b"CDN-Loop: a", b"x: y", b"cdn-loop: b", b"Connection: cdn-loop")
    assert head.passed == (b"a", b"b")
    assert head.headers == [(b"x", b"y")]
