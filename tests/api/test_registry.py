"""What is ours, what is a stranger, and what is most likely a spelling mistake."""

from __future__ import annotations

import pytest

from wardgate.api.registry import KINDS, PASSIVE_KINDS, Kind, Passive, Stranger, Unknown, look_up

_SECURITY = "security.policy.gloo.solo.io/v2"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_kind_is_found_by_its_api_version(kind: Kind) -> None:
    assert kind == look_up(kind.api_version, kind.kind)


def test_names_are_those_of_the_gloo_api() -> None:
    names = {kind.kind: (kind.group, kind.plural, kind.singular, kind.short_names) for kind in KINDS.values()}

    assert names == {
        "ExtAuthPolicy": ("security.policy.gloo.solo.io", "extauthpolicies", "extauthpolicy", ("extauth",)),
        "TransformationPolicy": (
            "trafficcontrol.policy.gloo.solo.io",
            "transformationpolicies",
            "transformationpolicy",
            ("tp",),
        ),
        "RouteTable": ("networking.gloo.solo.io", "routetables", "routetable", ("rt",)),
        "VirtualGateway": ("networking.gloo.solo.io", "virtualgateways", "virtualgateway", ("vg",)),
        "ExternalService": ("networking.gloo.solo.io", "externalservices", "externalservice", ("es",)),
        "ExternalEndpoint": ("networking.gloo.solo.io", "externalendpoints", "externalendpoint", ("ep",)),
        "ExtAuthServer": ("admin.gloo.solo.io", "extauthservers", "extauthserver", ("ess", "eas")),
    }


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apps/v1", "Deployment"),
        ("v1", "ConfigMap"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute"),
        ("example.com/v1", "RouteTable"),
        ("", ""),
    ],
)
def test_foreign_group_is_a_stranger(api_version: str, kind: str) -> None:
    assert Stranger() == look_up(api_version, kind)


@pytest.mark.parametrize(("kind", "group"), PASSIVE_KINDS.items())
def test_kind_beside_ours_is_passive(kind: str, group: str) -> None:
    assert Passive() == look_up(f"{group}/v2", kind)


@pytest.mark.parametrize(
    ("api_version", "kind", "advice"),
    [
        (_SECURITY, "ExtAuthPolcy", "Wardgate knows no such kind: did you mean ExtAuthPolicy?"),
        (
            _SECURITY,
            "Zzz",
            "Wardgate knows no such kind: in security.policy.gloo.solo.io it serves ExtAuthPolicy.",
        ),
        (
            "security.policy.gloo.solo.io/v1",
            "ExtAuthPolicy",
            f"Wardgate knows no such version of it: write apiVersion: {_SECURITY}.",
        ),
        (
            "networking.gloo.solo.io/v2",
            "ExtAuthPolicy",
            f"Wardgate knows no such group: write apiVersion: {_SECURITY}.",
        ),
        (
            "security.policies.gloo.solo.io/v2",
            "ExtAuthPolicy",
            f"Wardgate knows no such group: write apiVersion: {_SECURITY}.",
        ),
    ],
)
def test_unknown_kind_or_version_of_our_groups_is_advised(api_version: str, kind: str, advice: str) -> None:
    assert Unknown(advice) == look_up(api_version, kind)
