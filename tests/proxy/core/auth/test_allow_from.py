"""Keys that only some networks may send: a leaked one is worthless elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.proxy.core.conversation import KEY, NOW, TOKEN, Talk, auth_plan, config, credential, key_step, request, route
from wardgate.ir import BoolNot, BoolStep, FrontProxies
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.auth.networks import Networks, networks_of
from wardgate.proxy.core.origin.front import CompiledFront
from wardgate.proxy.core.origin.origin import RequestOrigin

NETWORKS = ("10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32")


def talk(address: str, *, key: bytes = KEY, now: float = NOW, **changes: Any) -> Talk:
    confined = credential(**{"allowed_from": NETWORKS, **changes})
    served = config(route(), credentials=(confined,))
    return Talk(served, request("GET", "/", ("api-key", key)), caller=Caller(whole=address), now=now)


def outcome(said: Talk) -> tuple[int, str]:
    return said.reply.status, said.reply.reason


@pytest.mark.parametrize("address", ["10.255.0.1", "192.0.2.7", "2001:db8:1::1"])
def test_key_opens_from_its_networks(address: str) -> None:
    assert TOKEN == talk(address).sent["x-api-key"]


@pytest.mark.parametrize("address", ["11.0.0.1", "192.0.2.8", "2001:db9::1", "", "unix", "10.0.0.1, 10.0.0.2"])
def test_key_from_elsewhere_or_from_nowhere_is_refused(address: str) -> None:
    assert (403, "key_address_refused") == outcome(talk(address))
    assert {"error": "Requests with this key are not taken from this address."} == json.loads(talk(address).reply.body)


def test_list_without_a_readable_network_lets_nobody_in() -> None:
    assert (403, "key_address_refused") == outcome(talk("10.0.0.1", allowed_from=()))
    assert (403, "key_address_refused") == outcome(talk("10.0.0.1", allowed_from=("nonsense",)))


def test_address_is_asked_for_good_keys_alone() -> None:
    """A caller with another key, or with one whose time is over, does not learn that there are such lists."""
    assert (401, "key_unknown") == outcome(talk("11.0.0.1", key=b"other"))
    assert (401, "key_expired") == outcome(talk("11.0.0.1", expires_at=int(NOW)))


def test_failed_step_is_no_proof_for_an_expression() -> None:
    """Nor does the refusal open what asks for the absence of a key."""
    plan = auth_plan(key_step(), expression=BoolNot(BoolStep(key_step().name)))
    served = config(route(), auth_plans=(plan,), credentials=(credential(allowed_from=NETWORKS),))
    said = Talk(served, request("GET", "/", ("api-key", KEY)), caller=Caller(whole="11.0.0.1"))
    assert (403, "key_address_refused") == outcome(said)


def test_caller_is_who_a_believed_proxy_names() -> None:
    origin = RequestOrigin("203.0.113.9", scheme=b"http", guesses=Guesses())
    assert "203.0.113.9" == origin.caller.whole
    origin.read({b"x-forwarded-for": [b"10.0.0.1"]})
    assert "203.0.113.9" == origin.caller.whole
    origin.follow(CompiledFront(FrontProxies(trusted_hops=1)))
    origin.read({b"x-forwarded-for": [b"10.9.9.9, 2001:DB8::1"]})
    assert "2001:db8::1" == origin.caller.whole


@pytest.mark.parametrize("peer", ["::ffff:10.0.0.1", "10.0.0.1"])
def test_ipv4_that_ipv6_carries_is_itself(peer: str) -> None:
    assert Networks(("10.0.0.0/8",)).hold(RequestOrigin(peer, scheme=b"http", guesses=Guesses()).caller.whole)


def test_keys_with_the_same_list_share_it() -> None:
    assert networks_of(NETWORKS) is networks_of(tuple(NETWORKS))
