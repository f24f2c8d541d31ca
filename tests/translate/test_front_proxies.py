"""Annotations of a VirtualGateway about the proxies in front of it, each read by itself."""

from __future__ import annotations

import pytest

from wardgate.api.kinds.annotations import AnnotationError, parse_hops, parse_networks, parse_ports
from wardgate.ir import FrontProxies
from wardgate.problems import ObjectRef
from wardgate.translate.findings import Findings
from wardgate.translate.listening.front_reader import FrontReader

GATEWAY = ObjectRef("VirtualGateway", "infra", "gw")


def read(**annotations: str) -> tuple[FrontProxies | None, tuple[str, ...]]:
    """The proxies in front of port 443, and the messages."""
    findings = Findings()
    named = {f"wardgate.dev/{name.replace('_', '-')}": text for name, text in annotations.items()}
    front = FrontReader(GATEWAY, findings).read(named)
    return None if front is None else front.of(443), tuple(one.message for one in findings.of(GATEWAY))


@pytest.mark.parametrize("name", ["trusted_hops", "proxy_protocol", "trusted_proxies"])
@pytest.mark.parametrize("text", ["", "yes", "-1", "1.5", "443;80", "10.0.0.1/8", "0", "99999", "\u0661"])
def test_annotation_that_cannot_be_read_leaves_nothing_to_believe(name: str, text: str) -> None:
    front, messages = read(**{name: text})
    if name == "trusted_hops" and text == "0":
        assert (FrontProxies(), ()) == (front, messages)
    else:
        assert front is None
        assert 1 == len(messages)
        assert f"wardgate.dev/{name.replace('_', '-')} of VirtualGateway infra/gw must be " in messages[0]


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, FrontProxies()),
        ({"trusted_hops": " 2 "}, FrontProxies(2)),
        ({"proxy_protocol": "True"}, FrontProxies(proxy_protocol=True)),
        ({"proxy_protocol": "80, 443"}, FrontProxies(proxy_protocol=True)),
        ({"proxy_protocol": "80", "trusted_proxies": "10.0.0.0/8"}, FrontProxies()),
        ({"trusted_hops": "1", "trusted_proxies": "10.0.0.7"}, FrontProxies(1, trusted_networks=("10.0.0.7/32",))),
    ],
)
def test_annotations_say_what_is_believed_at_a_port(annotations: dict[str, str], expected: FrontProxies) -> None:
    assert (expected, ()) == read(**annotations)


def test_list_of_proxies_that_are_believed_nothing_is_told() -> None:
    front, (message,) = read(trusted_proxies="10.0.0.0/8")
    assert FrontProxies() == front
    assert "has no effect" in message


def test_values_are_sorted_and_told_once() -> None:
    assert (80, 443) == parse_ports("443,80,443")
    assert ("10.0.0.0/8", "fd00::/8") == parse_networks("fd00::/8,10.0.0.0/8,10.0.0.0/8")
    assert isinstance(parse_hops("100"), AnnotationError)
    assert isinstance(parse_networks(","), AnnotationError)
    most = parse_networks(",".join(f"10.0.{number}.0/24" for number in range(256)))
    assert isinstance(most, tuple)
    assert 256 == len(most)
    many = parse_networks(",".join(f"10.{number}.0.0/16" for number in range(256)) + ",192.0.2.7")
    assert AnnotationError("at most 256 networks") == many
