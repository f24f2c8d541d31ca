"""The pods ask for no privilege, and end no sooner than their requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import Helm, Manifest, container, of_kind, one
from tests.chart.values import EVERY_VALUE

_BOTH = pytest.mark.parametrize("component", ["operator", "proxy"])
_VALUES = pytest.mark.parametrize("values", [{}, EVERY_VALUE], ids=["default", "every value"])


def _pod(helm: Helm, component: str, values: dict[str, Any] | None = None) -> Manifest:
    found = one(helm.render(values), "Deployment", f"wardgate-{component}")["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


@_BOTH
@_VALUES
def test_every_container_is_restricted(helm: Helm, component: str, values: dict[str, Any]) -> None:
    pod = _pod(helm, component, values)
    restricted = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }

    assert [restricted] == [each["securityContext"] for each in pod["containers"]]
    assert set() == set(pod) & {"initContainers", "hostNetwork", "hostPID", "hostIPC"}


@_BOTH
def test_the_token_is_mounted_by_the_pod_and_not_by_the_account(helm: Helm, component: str) -> None:
    documents = helm.render()
    pod = _pod(helm, component)

    assert (f"wardgate-{component}", True) == (pod["serviceAccountName"], pod["automountServiceAccountToken"])
    assert False is one(documents, "ServiceAccount", f"wardgate-{component}")["automountServiceAccountToken"]


@_BOTH
def test_a_service_of_the_namespace_sets_no_variable(helm: Helm, component: str) -> None:
    """A Service named wardgate would set WARDGATE_PORT, which is the proxy's option --port."""
    assert False is _pod(helm, component)["enableServiceLinks"]


@_BOTH
def test_probes_ask_the_admin_port(helm: Helm, component: str) -> None:
    found = container(helm.render(), component)
    ports = {port["name"]: port["containerPort"] for port in found["ports"]}

    assert {"operator": 9902, "proxy": 9901}[component] == ports["admin"]
    assert {"path": "/healthz", "port": "admin"} == found["livenessProbe"]["httpGet"]
    assert {"path": "/readyz", "port": "admin"} == found["readinessProbe"]["httpGet"]


@_BOTH
def test_a_rollout_takes_no_ready_pod_away(helm: Helm, component: str) -> None:
    spec = one(helm.render(), "Deployment", f"wardgate-{component}")["spec"]

    assert 2 == spec["replicas"]
    assert {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}} == spec["strategy"]


@pytest.mark.parametrize(("values", "delay", "drain"), [({}, 5, 30), (EVERY_VALUE, 7, 120)])
def test_a_proxy_has_time_to_finish_what_is_in_flight(
    helm: Helm, values: dict[str, Any], delay: int, drain: int
) -> None:
    pod = _pod(helm, "proxy", values)
    (proxy,) = pod["containers"]

    assert f"--set=timeouts.shutdown_delay={delay}" in proxy["args"]
    assert f"--set=timeouts.drain={drain}" in proxy["args"]
    assert delay + drain + 10 == pod["terminationGracePeriodSeconds"]


def test_the_ending_of_a_proxy_is_its_own(helm: Helm) -> None:
    """A hook would hold the signal back, and with it the moment from which callers are told."""
    assert "lifecycle" not in container(helm.render(), "proxy")


def test_the_last_good_config_is_kept_in_memory_only(helm: Helm) -> None:
    pod = _pod(helm, "proxy", EVERY_VALUE)
    (proxy,) = pod["containers"]
    (volume,) = pod["volumes"]

    assert {"medium": "Memory", "sizeLimit": "256Mi"} == volume["emptyDir"]
    assert [{"name": volume["name"], "mountPath": "/run/wardgate"}] == proxy["volumeMounts"]
    assert "--cache-dir=/run/wardgate" in proxy["args"]


@_BOTH
def test_pods_go_where_the_values_say(helm: Helm, component: str) -> None:
    documents = helm.render(EVERY_VALUE)
    deployment = one(documents, "Deployment", f"wardgate-{component}")["spec"]
    template = deployment["template"]
    expected = EVERY_VALUE[component]

    assert expected["replicas"] == deployment["replicas"]
    assert expected["podAnnotations"] == template["metadata"]["annotations"]
    for name in ("nodeSelector", "tolerations", "affinity"):
        assert expected[name] == template["spec"][name]


def test_memory_is_bounded_in_every_container(helm: Helm) -> None:
    pods = [each["spec"]["template"]["spec"] for each in of_kind(helm.render(), "Deployment")]

    assert all(each["resources"]["limits"]["memory"] for pod in pods for each in pod["containers"])


def test_the_number_of_workers_follows_a_bounded_cpu(helm: Helm) -> None:
    """Without a limit a proxy would start a worker for each CPU of its node."""
    proxy = container(helm.render(), "proxy")

    assert "--workers=0" in proxy["args"]
    assert "2" == proxy["resources"]["limits"]["cpu"]
