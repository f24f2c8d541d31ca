"""Invariant 12: addresses that are never dialled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardgate.ir import Guard
from wardgate.proxy.core.upstream.addresses import AddressRules

RULES = AddressRules(Guard())


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "2606:2800:220:1::1",
        "fd12::1",
        "64:ff9b::5db8:d822",
        "64:ff9b:1::5db8:d822",
        "2002:5db8:d822::1",
        "::ffff:93.184.216.34",
        "::ffff:0:93.184.216.34",
        "2606:2800::5efe:93.184.216.34",
        "100.64.1.2",
        "240.0.0.1",
    ],
)
def test_ordinary_address_is_allowed(address: str) -> None:
    assert RULES.refusal(address, 443) is None


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.10", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:0:127.0.0.1", "loopback"),
        ("::ffff:0:7f00:1", "loopback"),
        ("2606:2800::5efe:127.0.0.1", "loopback"),
        ("2606:2800::200:5efe:127.0.0.1", "loopback"),
        ("::ffff:0:0.0.0.0", "unspecified"),
        ("::ffff:0:224.0.0.1", "multicast"),
        ("::ffff:0:255.255.255.255", "broadcast"),
        ("fec0::1", "site-local"),
        ("feff:ffff::1", "site-local"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::7f00:1", "loopback"),
        ("64:ff9b:1:7f00:0:100::", "loopback"),
        ("2002:7f00:1::1", "loopback"),
        ("2001:0:5db8:d822:0:0:80ff:fffe", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("64:ff9b::", "unspecified"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("::ffff:0:169.254.169.254", "metadata"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("example.com", "not an IP address"),
        ("", "not an IP address"),
    ],
)
def test_dangerous_address_is_refused(address: str, word: str) -> None:
    assert word in (RULES.refusal(address, 443) or "")


def test_loopback_is_allowed_where_the_installation_says_so() -> None:
    rules = AddressRules(Guard(allow_loopback=True))
    assert rules.refusal("127.0.0.1", 443) is None
    assert rules.refusal("::1", 443) is None
    assert rules.refusal("169.254.169.254", 80) is not None


def test_denied_endpoint_is_refused_on_its_port_only() -> None:
    rules = AddressRules(Guard(denied_addresses=("10.96.0.1:443", "[fd00::1]:6443"), allow_cidrs=("10.0.0.0/8",)))
    assert "denied by the gateway's config" in (rules.refusal("10.96.0.1", 443) or "")
    assert "denied by the gateway's config" in (rules.refusal("::ffff:10.96.0.1", 443) or "")
    assert "denied by the gateway's config" in (rules.refusal("fd00::1", 6443) or "")
    assert rules.refusal("10.96.0.1", 8443) is None


def test_denied_network_is_denied_in_every_form_of_its_addresses() -> None:
    rules = AddressRules(Guard(deny_cidrs=("240.0.0.0/4",)))
    for form in ("{}", "::ffff:{}", "::ffff:0:{}", "64:ff9b::{}", "2606::5efe:{}"):
        assert "installation denies" in (rules.refusal(form.format("240.0.0.1"), 80) or "")


def test_site_local_network_can_be_allowed() -> None:
    assert AddressRules(Guard(allow_cidrs=("fec0::/10",))).refusal("fec0::1", 443) is None


def test_denied_network_goes_before_an_allowed_one() -> None:
    rules = AddressRules(Guard(allow_cidrs=("169.254.0.0/16",), deny_cidrs=("169.254.169.0/24", "2001:db8::/32")))
    assert rules.refusal("169.254.1.1", 80) is None
    assert "installation denies" in (rules.refusal("169.254.169.254", 80) or "")
    assert "installation denies" in (rules.refusal("2001:db8::5", 80) or "")


def test_own_listener_is_refused() -> None:
    rules = AddressRules(Guard(allow_loopback=True), own=[("127.0.0.1", 9901)])
    assert "gateway itself" in (rules.refusal("127.0.0.1", 9901) or "")
    assert rules.refusal("127.0.0.1", 9902) is None


def test_own_listener_on_every_address_is_refused_on_each_of_them() -> None:
    rules = AddressRules(Guard(allow_loopback=True), own=[("0.0.0.0", 8081)], is_local="10.0.0.7".__eq__)
    assert "gateway itself" in (rules.refusal("127.0.0.1", 8081) or "")
    assert "gateway itself" in (rules.refusal("10.0.0.7", 8081) or "")
    assert "gateway itself" in (rules.refusal("::ffff:10.0.0.7", 8081) or "")
    assert rules.refusal("10.0.0.8", 8081) is None


@pytest.mark.parametrize(
    "guard",
    [
        Guard(deny_cidrs=("10.0.0.0/99",)),
        Guard(allow_cidrs=("nonsense",)),
        Guard(denied_addresses=("10.0.0.1",)),
        Guard(denied_addresses=("10.0.0.1:https",)),
    ],
)
def test_guard_that_can_not_be_read_refuses_everything(guard: Guard) -> None:
    assert "cannot be read" in (AddressRules(guard).refusal("93.184.216.34", 443) or "")


@given(
    st.ip_addresses(v=4, network="127.0.0.0/8"),
    st.sampled_from(["::ffff:{}", "::ffff:0:{}", "::{}", "64:ff9b::{}", "2606::200:5efe:{}"]),
)
def test_loopback_hides_in_no_ipv6_form(address: object, form: str) -> None:
    assert RULES.refusal(form.format(address), 443) is not None


@given(st.text(max_size=20), st.integers(0, 65535))
def test_any_text_is_judged(address: str, port: int) -> None:
    RULES.refusal(address, port)
