"""What is ours, what is a stranger, and what is most likely a spelling mistake."""

from __future__ import annotations

import pytest

from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS, GUARDS, ForeignKind
from wardgate.api.kinds.registry import KINDS, Kind, Stranger, Unknown, look_up

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
        "ExternalEndpoint": ("networking.gloo.solo.io", "externalendpoints", "externalendpoint", ("eep",)),
        "ExtAuthServer": ("admin.gloo.solo.io", "extauthservers", "extauthserver", ("ess", "eas")),
    }


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("apps/v1", "Deployment"),
        ("v1", "ConfigMap"),
        ("gateway.networking.k8s.io/v1", "BackendTLSPolicy"),
        ("example.com/v1", "RouteTable"),
        ("", ""),
    ],
)
def test_foreign_group_is_a_stranger(api_version: str, kind: str) -> None:
    assert Stranger() == look_up(api_version, kind)


@pytest.mark.parametrize("kind", FOREIGN_KINDS.values(), ids=lambda kind: kind.name)
def test_kind_beside_ours_is_known_by_name(kind: ForeignKind) -> None:
    assert kind == look_up(f"{kind.group}/{kind.version}", kind.kind)


@pytest.mark.parametrize("kind", FOREIGN_KINDS.values(), ids=lambda kind: kind.name)
def test_version_of_a_foreign_kind_does_not_matter(kind: ForeignKind) -> None:
    assert kind == look_up(f"{kind.group}/v3alpha7", kind.kind)


def test_foreign_kind_is_known_in_every_group_of_the_api() -> None:
    assert GUARDS["JWTPolicy"] == look_up("trafficcontrol.policy.gloo.solo.io/v2", "JWTPolicy")


def test_guard_whose_group_is_misspelt_is_still_a_guard() -> None:
    assert GUARDS["JWTPolicy"] == look_up("security.policies.gloo.solo.io/v2", "JWTPolicy")


def test_guards_are_those_that_decide_who_gets_in() -> None:
    assert {
        "AccessPolicy",
        "CSRFPolicy",
        "ClientTLSPolicy",
        "GraphQLAllowedQueryPolicy",
        "JWTPolicy",
        "WAFPolicy",
    } == set(GUARDS)


def test_no_foreign_kind_has_the_name_of_one_of_ours() -> None:
    assert not KINDS.keys() & FOREIGN_KINDS.keys()


@pytest.mark.parametrize("kind", ["Zzz", "FooPolicy", "ExtProcPolicy", "AuthenticationPolicy"])
def test_unknown_kind_that_resembles_none_of_ours_is_no_error(kind: str) -> None:
    assert Stranger(is_beside_ours=True) == look_up(_SECURITY, kind)


@pytest.mark.parametrize(
    ("api_version", "kind", "advice"),
    [
        (_SECURITY, "ExtAuthPolcy", "Wardgate knows no such kind: did you mean ExtAuthPolicy?"),
        (_SECURITY, "extauthpolicy", "Wardgate knows no such kind: did you mean ExtAuthPolicy?"),
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
