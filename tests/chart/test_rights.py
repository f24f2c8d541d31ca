"""The rights of both identities are exactly these; one more fails here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import Helm, of_kind
from tests.chart.rights import EVERYWHERE, Grant, granted, grants, subjects
from wardgate.api.kinds import foreign_kinds, registry
from wardgate.kube.last_good.state_parts import MAX_PARTS

OPERATOR = "wardgate/wardgate-operator"
PROXY = "wardgate/wardgate-proxy"

KINDS = " ".join(f"{kind.plural}.{kind.group}" for kind in registry.KINDS.values())
GUARDS = " ".join(f"{kind.plural}.{kind.group}" for kind in foreign_kinds.GUARDS.values())
STATUSES = KINDS.replace("s.", "s/status.")
STATE = ["wardgate-state", *(f"wardgate-state-{number}" for number in range(1, MAX_PARTS))]


def _policies(namespace: str) -> set[Grant]:
    return _own_policies(namespace) | grants(namespace, GUARDS, "list watch")


def _own_policies(namespace: str) -> set[Grant]:
    return (
        grants(namespace, KINDS, "get list watch")
        | grants(namespace, STATUSES, "patch")
        | grants(namespace, "events events.events.k8s.io", "create patch")
    )


def _keys(namespace: str) -> set[Grant]:
    return grants(namespace, "secrets", "list watch")


def _home(config: str = "wardgate-config") -> set[Grant]:
    return (
        grants("wardgate", "leases.coordination.k8s.io", "create")
        | grants("wardgate", "leases.coordination.k8s.io", "get update", names=["wardgate-operator"])
        | grants("wardgate", "secrets", "create list")
        | grants("wardgate", "secrets", "get update", names=STATE)
        | grants("wardgate", "services", "get", names=["wardgate-proxy"])
        | grants("wardgate", "endpointslices.discovery.k8s.io", "get list watch")
        | grants(config, "secrets", "get list watch create update delete")
        | grants("default", "endpointslices.discovery.k8s.io", "get", names=["kubernetes"])
    )


def _serving(config: str = "wardgate-config") -> set[Grant]:
    return grants(config, "secrets", "get") | grants(config, "secrets", "list watch", names=["wardgate-index"])


OPERATORS: list[tuple[dict[str, Any], set[Grant]]] = [
    ({}, _policies(EVERYWHERE) | _keys(EVERYWHERE) | _home()),
    ({"watchNamespaces": ["a", "b"]}, _policies("a") | _policies("b") | _keys(EVERYWHERE) | _home()),
    ({"keyNamespaces": ["a", "b"]}, _policies(EVERYWHERE) | _keys("a") | _keys("b") | _home()),
    ({"watchNamespaces": ["a"], "keyNamespaces": ["b"]}, _policies("a") | _keys("b") | _home()),
    (
        {"watchNamespaces": ["default", "wardgate"], "keyNamespaces": ["default"]},
        _policies("default") | _policies("wardgate") | _keys("default") | _home(),
    ),
    ({"foreignGuards": "ignore"}, _own_policies(EVERYWHERE) | _keys(EVERYWHERE) | _home()),
    ({"configNamespace": {"name": "elsewhere"}}, _policies(EVERYWHERE) | _keys(EVERYWHERE) | _home("elsewhere")),
]


@pytest.mark.parametrize(("values", "expected"), OPERATORS)
def test_the_operator_may_do_this_and_nothing_else(helm: Helm, values: dict[str, Any], expected: set[Grant]) -> None:
    documents = helm.render(values)

    assert expected == granted(documents, OPERATOR)


@pytest.mark.parametrize(("values", "config"), [({}, "wardgate-config"), ({"configNamespace": {"name": "x"}}, "x")])
def test_a_proxy_may_read_what_it_serves_and_nothing_else(helm: Helm, values: dict[str, Any], config: str) -> None:
    documents = helm.render(values)

    assert _serving(config) == granted(documents, PROXY)


@pytest.mark.parametrize(("values", "_expected"), OPERATORS)
def test_rights_go_to_the_two_identities_only(helm: Helm, values: dict[str, Any], _expected: set[Grant]) -> None:
    documents = helm.render(values)
    bindings = of_kind(documents, "RoleBinding", "ClusterRoleBinding")

    assert {OPERATOR, PROXY} == {subject for binding in bindings for subject in subjects(binding)}
    assert len(of_kind(documents, "Role", "ClusterRole")) == len(bindings)


def test_with_namespaces_nothing_is_granted_in_the_whole_cluster(helm: Helm) -> None:
    documents = helm.render({"watchNamespaces": ["a"], "keyNamespaces": ["b"]})

    assert [] == of_kind(documents, "ClusterRole", "ClusterRoleBinding")


def test_with_key_namespaces_no_cluster_role_reads_secrets(helm: Helm) -> None:
    documents = helm.render({"keyNamespaces": ["a"]})
    everywhere = {grant.resource for grant in granted(documents, OPERATOR) if grant.namespace == EVERYWHERE}

    assert "extauthpolicies.security.policy.gloo.solo.io" in everywhere
    assert "secrets" not in everywhere
