"""From a name to the addresses that may be dialled."""

from __future__ import annotations

import socket

import pytest

from tests.proxy.io.bench import Clock, run
from wardgate.ir import Guard
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.proxy.io.upstream.errors import AddressRefused
from wardgate.proxy.io.upstream.resolver import Address, Resolver, is_local_address


class Names:
    """A resolver's answers, and how often it was asked."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


def resolving(names: Names, *, pins: dict[tuple[str, int], Address] | None = None) -> tuple[Resolver, Clock]:
    clock = Clock()
    return Resolver(pins=pins or {}, lookup=names, clock=clock, stale=600.0), clock


def test_refused_addresses_are_left_out_and_the_rest_keeps_its_order() -> None:
    resolver, _ = resolving(Names(("192.0.2.9", "169.254.169.254", "192.0.2.1")))
    expected = (Address("192.0.2.9", 443), Address("192.0.2.1", 443))
    assert run(resolver.resolve("api.example.com", 443)) == expected


def test_a_name_that_leads_only_to_refused_addresses_says_which_and_why() -> None:
    resolver, _ = resolving(Names(("127.0.0.1",)))
    with pytest.raises(
        AddressRefused, match=r"^api\.example\.com may not be dialled at 127\.0\.0\.1: it is a loopback"
    ):
        run(resolver.resolve("api.example.com", 443))


def test_a_burst_asks_once_and_an_old_answer_is_asked_anew_and_judged_anew() -> None:
    names = Names(("192.0.2.1",), ("127.0.0.1",))
    resolver, clock = resolving(names)
    for _ in range(3):
        run(resolver.resolve("api.example.com", 443))
    assert names.asked == 1
    clock.pass_time(6.0)
    with pytest.raises(AddressRefused):
        run(resolver.resolve("api.example.com", 443))


def test_a_new_config_judges_cached_answers_too() -> None:
    resolver, _ = resolving(Names(("192.0.2.1",)))
    run(resolver.resolve("api.example.com", 443))
    resolver.rules = AddressRules(Guard(deny_cidrs=("192.0.2.0/24",)))
    with pytest.raises(AddressRefused):
        run(resolver.resolve("api.example.com", 443))


def test_a_pin_replaces_name_and_judgement_for_its_port_only() -> None:
    names = Names(("192.0.2.1",))
    resolver, _ = resolving(names, pins={("api.example.com", 443): Address("127.0.0.1", 9443)})
    assert run(resolver.resolve("API.example.com.", 443)) == (Address("127.0.0.1", 9443),)
    assert names.asked == 0
    assert run(resolver.resolve("api.example.com", 80)) == (Address("192.0.2.1", 80),)


def test_an_address_is_judged_and_nobody_is_asked() -> None:
    names = Names(())
    resolver, _ = resolving(names)
    assert run(resolver.resolve("192.0.2.1", 443)) == (Address("192.0.2.1", 443),)
    with pytest.raises(AddressRefused):
        run(resolver.resolve("::1", 443))
    assert names.asked == 0


def test_this_hosts_addresses_are_known() -> None:
    assert is_local_address("127.0.0.1")
    assert not is_local_address("192.0.2.1")
    assert not is_local_address("not an address")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.2", 9))
        assert is_local_address(str(probe.getsockname()[0]))
