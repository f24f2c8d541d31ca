"""With the NetworkPolicies each pod reaches what it needs and is reached by whom it serves: tables of connections."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.combinations import NAMED_NETWORK
from tests.chart.helm import Helm, Manifest, of_kind, one
from tests.chart.reach import End, passes

ON: dict[str, Any] = {"networkPolicy": {"enabled": True}}


def _pod(component: str) -> End:
    labels = {"name": "wardgate", "instance": "wardgate", "component": component}
    return End("10.2.0.1", "wardgate", {f"app.kubernetes.io/{name}": value for name, value in labels.items()})


PROXY, OPERATOR, TEST = _pod("proxy"), _pod("operator"), _pod("test")
ANOTHER_RELEASE = End("10.2.0.5", "wardgate", {**OPERATOR.labels, "app.kubernetes.io/instance": "another"})
IMPOSTOR = End("10.2.0.6", "apps", OPERATOR.labels)
DNS = End("10.2.0.2", "kube-system", {"k8s-app": "kube-dns"})
NODE_DNS = End("169.254.20.10")
PROMETHEUS = End("10.2.0.3", "monitoring")
APP = End("10.2.0.4", "apps")
API_SERVER, API_SERVER_BEHIND = End("10.96.0.1"), End("172.16.0.10")
PROVIDER, PROVIDER_6 = End("203.0.113.7"), End("2001:db8::7")
INTERNET, BALANCER = End("198.51.100.9"), End("10.1.2.3")
METADATA = [
    End(address)
    for address in (
        "169.254.169.254", "169.254.169.253", "169.254.170.2", "169.254.170.23", "169.254.0.23", "100.100.100.200",
        "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::253", "fd00:ec2::123", "fd00:ec2::23",
        "fd20:ce::254", "fe80::1",
    )
]  # fmt: skip

ALLOWED = [
    (INTERNET, PROXY, 8080, "callers"),
    (APP, PROXY, 8443, "callers within the cluster"),
    (OPERATOR, PROXY, 9901, "the operator asks proxies what they serve"),
    (PROMETHEUS, PROXY, 9901, "metrics"),
    (PROMETHEUS, OPERATOR, 9902, "metrics"),
    (TEST, PROXY, 9901, "helm test"),
    (PROXY, PROVIDER, 443, "an upstream"),
    (PROXY, PROVIDER_6, 8443, "an upstream by IPv6, on its own port"),
    (PROXY, APP, 8000, "an upstream within the cluster"),
    (PROXY, API_SERVER, 443, "the config"),
    (PROXY, API_SERVER_BEHIND, 6443, "the config, by the API server's own address"),
    (OPERATOR, API_SERVER, 443, "policies and keys"),
    (OPERATOR, API_SERVER_BEHIND, 6443, "policies and keys, by the API server's own address"),
    (PROXY, DNS, 53, "names"),
    (OPERATOR, DNS, 53, "names"),
    (PROXY, NODE_DNS, 53, "names, of the node's cache"),
]
DENIED = [
    (INTERNET, PROXY, 9901, "the admin port from outside"),
    (APP, PROXY, 9901, "the admin port from a neighbour"),
    (IMPOSTOR, PROXY, 9901, "the admin port with the operator's labels in another namespace"),
    (ANOTHER_RELEASE, PROXY, 9901, "the admin port from another release"),
    (PROXY, _pod("proxy"), 9901, "the admin port from a proxy"),
    (INTERNET, PROXY, 22, "a port that nobody offers"),
    (APP, OPERATOR, 9902, "the operator from a neighbour"),
    (PROXY, OPERATOR, 9902, "the operator from a proxy"),
    (PROMETHEUS, OPERATOR, 8080, "another port of the operator"),
    (OPERATOR, PROVIDER, 80, "the operator to the internet"),
    (OPERATOR, APP, 8000, "the operator to a neighbour"),
    (OPERATOR, PROXY, 8080, "the operator as a caller"),
    (TEST, PROVIDER, 443, "the test to the internet"),
    (OPERATOR, NODE_DNS, 80, "a link-local address"),
    *((PROXY, each, port, "credentials of the cloud") for each in METADATA for port in (80, 443)),
    *((OPERATOR, each, 443, "credentials of the cloud") for each in METADATA),
]
ALLOWED_NARROW = [
    (APP, PROXY, 8080, "callers that are named"),
    (BALANCER, PROXY, 9901, "a balancer that asks /readyz"),
    (PROXY, PROVIDER, 443, "an upstream that is named"),
    (PROXY, API_SERVER, 443, "the config"),
    (OPERATOR, API_SERVER, 443, "policies and keys"),
]
DENIED_NARROW = [
    (INTERNET, PROXY, 8080, "callers that are not named"),
    (PROXY, PROVIDER, 80, "another port of an upstream"),
    (PROXY, INTERNET, 443, "an upstream that is not named"),
    (PROXY, APP, 443, "a neighbour"),
    (OPERATOR, API_SERVER_BEHIND, 6443, "an API server that is not named"),
    (BALANCER, OPERATOR, 9902, "the operator from a balancer"),
]


def _policies(helm: Helm, values: dict[str, Any]) -> list[Manifest]:
    return of_kind(helm.render(values), "NetworkPolicy")


@pytest.mark.parametrize(
    ("values", "rows", "expected"),
    [
        (ON, ALLOWED, True),
        (ON, DENIED, False),
        (NAMED_NETWORK, ALLOWED_NARROW, True),
        (NAMED_NETWORK, DENIED_NARROW, False),
    ],
    ids=["allowed", "denied", "allowed when narrow", "denied when narrow"],
)
def test_what_passes_is_what_the_table_says(
    helm: Helm, values: dict[str, Any], rows: list[tuple[End, End, int, str]], *, expected: bool
) -> None:
    policies = _policies(helm, values)
    otherwise = [
        f"{source.address} to {target.address}:{port}, {what}"
        for source, target, port, what in rows
        if passes(policies, source, target, port=port) is not expected
    ]

    assert [] == otherwise


@pytest.mark.parametrize(("pod", "port"), [(PROXY, 9901), (OPERATOR, 9902)])
def test_the_kubelet_probes_from_the_node(helm: Helm, pod: End, port: int) -> None:
    policies = _policies(helm, ON)

    assert passes(policies, End("172.16.0.11"), pod, port=port, by_node=True)
    assert not passes(policies, End("172.16.0.12"), pod, port=port)


@pytest.mark.parametrize("pod", [PROXY, OPERATOR, TEST])
def test_names_are_looked_up_by_both_protocols(helm: Helm, pod: End) -> None:
    policies = _policies(helm, ON)

    assert passes(policies, pod, DNS, port=53, protocol="UDP")
    assert not passes(policies, pod, End("10.2.0.2", "apps"), port=53, protocol="UDP")


def test_the_labels_of_the_tables_are_those_of_the_pods(helm: Helm) -> None:
    documents = helm.render(ON)
    labels = [
        one(documents, "Deployment", f"wardgate-{component}")["spec"]["template"]["metadata"]["labels"]
        for component in ("proxy", "operator")
    ]

    assert [PROXY.labels, OPERATOR.labels] == labels


def test_nothing_is_denied_by_default(helm: Helm) -> None:
    assert [] == _policies(helm, {})
