"""The origin of a connection's requests, and which words about it are believed."""

from __future__ import annotations

import pytest

from wardgate.ir import FrontProxies
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.origin.front import NO_PROXIES, compile_front
from wardgate.proxy.core.origin.origin import RequestOrigin

PROXY = "10.0.0.7"


def origin(front: FrontProxies, *, peer: str = PROXY, introduced: bool = False) -> RequestOrigin:
    made = RequestOrigin(peer, scheme=b"http", guesses=Guesses(), introduced=introduced)
    made.follow(compile_front(front))
    return made


def after(made: RequestOrigin, **fields: str) -> RequestOrigin:
    """The origin once a request with these fields was read."""
    if made.believes:
        made.read({f"x-forwarded-{name[2:]}".encode(): [text.encode()] for name, text in fields.items()})
    return made


def told(made: RequestOrigin) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in made.forwarded}


def test_connection_speaks_for_itself_without_believed_proxies() -> None:
    made = after(origin(FrontProxies()), x_for="192.0.2.1", x_proto="https", x_host="evil.example")
    assert (PROXY, b"http", b"\x0a\x00\x00\x07") == (made.address, made.scheme, made.caller.address)
    assert {"x-forwarded-for": PROXY, "x-forwarded-proto": "http"} == told(made)


def test_believed_proxy_speaks_for_its_callers() -> None:
    made = after(origin(FrontProxies(1)), x_for="6.6.6.6, 192.0.2.1", x_proto="https", x_host="api.example.com")
    assert ("192.0.2.1", b"https", b"\xc0\x00\x02\x01") == (made.address, made.scheme, made.caller.address)
    expected = {
        "x-forwarded-for": "192.0.2.1, 10.0.0.7",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "api.example.com",
    }
    assert expected == told(made)


def test_next_request_on_the_connection_has_its_own_caller() -> None:
    made = after(origin(FrontProxies(1)), x_for="192.0.2.1")
    assert "192.0.2.2" == after(made, x_for="192.0.2.2").address
    assert {"x-forwarded-for": "192.0.2.2, 10.0.0.7", "x-forwarded-proto": "http"} == told(made)
    assert PROXY == after(made).address
    assert {"x-forwarded-for": PROXY, "x-forwarded-proto": "http"} == told(made)


@pytest.mark.parametrize("words", ["unknown", "192.0.2.1, ", "192.0.2.1;", "", "-"])
def test_unreadable_words_cost_no_request_and_are_not_believed(words: str) -> None:
    made = after(origin(FrontProxies(1)), x_for=words, x_proto="https", x_host="api.example.com")
    assert (PROXY, b"http") == (made.address, made.scheme)
    assert {"x-forwarded-for": PROXY, "x-forwarded-proto": "http"} == told(made)


def test_caller_without_all_the_hops_is_who_connected() -> None:
    assert PROXY == after(origin(FrontProxies(2)), x_for="192.0.2.1").address


@pytest.mark.parametrize(
    ("peer", "networks", "believed"),
    [
        (PROXY, (), True),
        (PROXY, ("10.0.0.0/8",), True),
        (f"::ffff:{PROXY}", ("10.0.0.0/8",), True),
        ("fd00::7", ("10.0.0.0/8", "fd00::/8"), True),
        ("10.1.0.7", ("10.0.0.0/16",), False),
        ("fd00::7", ("10.0.0.0/8",), False),
        (PROXY, ("nonsense",), False),
        ("", ("10.0.0.0/8",), False),
    ],
)
def test_only_the_listed_networks_are_believed(peer: str, networks: tuple[str, ...], *, believed: bool) -> None:
    made = after(origin(FrontProxies(1, trusted_networks=networks), peer=peer), x_for="192.0.2.1")
    assert believed == (made.address == "192.0.2.1")


def test_introduced_connection_was_judged_by_the_network_of_its_proxy() -> None:
    front = FrontProxies(1, proxy_protocol=True, trusted_networks=("10.0.0.0/8",))
    assert "192.0.2.1" == after(origin(front, peer="198.51.100.1", introduced=True), x_for="192.0.2.1").address
    assert "198.51.100.1" == after(origin(front, peer="198.51.100.1"), x_for="192.0.2.1").address


def test_belief_ends_with_the_config_that_gave_it() -> None:
    made = after(origin(FrontProxies(1)), x_for="192.0.2.1")
    made.follow(NO_PROXIES)
    assert (PROXY, False) == (made.address, made.believes)


def test_listeners_without_proxies_share_their_front_over_all_tables() -> None:
    assert compile_front(FrontProxies()) is NO_PROXIES


def test_words_of_some_callers_are_known_again_and_no_more_than_so_many() -> None:
    made = origin(FrontProxies(1))
    first = after(made, x_for="192.0.2.1").caller
    for number in range(60):
        after(made, x_for=f"198.51.100.{number}")
    assert after(made, x_for="192.0.2.1").caller is first
    for number in range(100):
        assert f"203.0.113.{number}" == after(made, x_for=f"203.0.113.{number}").address
    assert after(made, x_for="192.0.2.1").caller is not first
    assert first == made.caller


def test_long_words_are_understood_and_not_kept() -> None:
    made = origin(FrontProxies(1))
    words = "6.6.6.6, " * 100 + "192.0.2.1"
    first = after(made, x_for=words).caller
    assert first.address == b"\xc0\x00\x02\x01"
    assert after(made, x_for=words).caller is not first


def test_words_of_one_field_are_never_taken_for_those_of_another() -> None:
    made = origin(FrontProxies(1))
    name, one, two, last = b"x-forwarded-proto", b"192.0.2.1", b"192.0.2.2", b"https"
    made.read({b"x-forwarded-for": [one], name: [two, name, last]})
    assert "192.0.2.1" == made.address
    made.read({b"x-forwarded-for": [one, name, two], name: [last]})
    assert "192.0.2.2" == made.address


def test_words_mean_something_else_under_another_config() -> None:
    made = after(origin(FrontProxies(1)), x_for="192.0.2.1, 192.0.2.2")
    assert "192.0.2.2" == made.address
    made.follow(compile_front(FrontProxies(2)))
    assert "192.0.2.1" == after(made, x_for="192.0.2.1, 192.0.2.2").address


def test_peer_without_address_tells_the_scheme_alone() -> None:
    assert {"x-forwarded-proto": "http"} == told(origin(FrontProxies(), peer=""))
