"""The pods ask for no privilege, and end no sooner than their requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import Helm, Manifest, container, of_kind, one
from tests.chart.rights import granted
from tests.chart.values import EVERY_VALUE, NLB, RESTRICTED

_BOTH = pytest.mark.parametrize("component", ["operator", "proxy"])
_VALUES = pytest.mark.parametrize("values", [{}, EVERY_VALUE], ids=["default", "every value"])

AS_THEY_ARE = (
    "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName", "runtimeClassName",
    "schedulerName", "hostAliases", "dnsPolicy", "dnsConfig", "initContainers",
)  # fmt: skip
"""Values that are fields of a pod, by the same names."""


def _pod(helm: Helm, component: str, values: dict[str, Any] | None = None) -> Manifest:
    found = one(helm.render(values), "Deployment", f"wardgate-{component}")["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


@_BOTH
@_VALUES
def test_every_container_is_restricted(helm: Helm, component: str, values: dict[str, Any]) -> None:
    pod = _pod(helm, component, values)

    assert RESTRICTED == container(helm.render(values), component)["securityContext"]
    assert set() == set(pod) & {"hostNetwork", "hostPID", "hostIPC"}


@_BOTH
def test_pods_run_as_the_user_and_the_group_of_the_image(helm: Helm, component: str) -> None:
    """Without a number for the group it would be root's."""
    context = _pod(helm, component)["securityContext"]

    assert [65532] * 3 == [context[name] for name in ("runAsUser", "runAsGroup", "fsGroup")]
    assert "runAsUser" not in _pod(helm, component, {"podSecurityContext": {"runAsUser": None}})["securityContext"]


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
    assert {"path": "/healthz", "port": "admin"} == found["startupProbe"]["httpGet"]
    assert found["startupProbe"]["initialDelaySeconds"] >= 3


def test_a_proxy_that_hangs_is_not_given_the_time_to_drain(helm: Helm) -> None:
    """It would serve revoked keys for as long (decision 80)."""
    spec = _pod(helm, "proxy")

    assert 5 == container(helm.render(), "proxy")["livenessProbe"]["terminationGracePeriodSeconds"]
    assert spec["terminationGracePeriodSeconds"] > 50


@_BOTH
def test_a_rollout_takes_no_ready_pod_away(helm: Helm, component: str) -> None:
    spec = one(helm.render(), "Deployment", f"wardgate-{component}")["spec"]

    assert 2 == spec["replicas"]
    assert {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}} == spec["strategy"]


@pytest.mark.parametrize(("values", "delay", "drain"), [({}, 15, 30), (NLB, 150, 30), (EVERY_VALUE, 7, 120)])
def test_a_proxy_has_time_to_finish_what_is_in_flight(
    helm: Helm, values: dict[str, Any], delay: int, drain: int
) -> None:
    pod = _pod(helm, "proxy", values)
    proxy = container(helm.render(values), "proxy")

    assert f"--set=timeouts.shutdown_delay={delay}" in proxy["args"]
    assert f"--set=timeouts.drain={drain}" in proxy["args"]
    assert delay + drain + 10 == pod["terminationGracePeriodSeconds"]


def test_the_ending_of_a_proxy_is_its_own(helm: Helm) -> None:
    """A hook would hold the signal back, and with it the moment from which callers are told."""
    assert "lifecycle" not in container(helm.render(), "proxy")


def test_the_last_good_config_is_kept_in_memory_only(helm: Helm) -> None:
    proxy = container(helm.render(EVERY_VALUE), "proxy")
    volume, *_ = _pod(helm, "proxy", EVERY_VALUE)["volumes"]

    assert {"medium": "Memory", "sizeLimit": "256Mi"} == volume["emptyDir"]
    assert {"name": volume["name"], "mountPath": "/run/wardgate"} in proxy["volumeMounts"]
    assert "--cache-dir=/run/wardgate" in proxy["args"]


@_BOTH
def test_pods_go_where_the_values_say(helm: Helm, component: str) -> None:
    documents = helm.render(EVERY_VALUE)
    deployment = one(documents, "Deployment", f"wardgate-{component}")["spec"]
    template = deployment["template"]
    expected = EVERY_VALUE[component]

    assert expected["replicas"] == deployment["replicas"]
    assert expected["podAnnotations"] == template["metadata"]["annotations"]
    for name in AS_THEY_ARE:
        assert expected[name] == template["spec"][name]


@_BOTH
def test_containers_have_what_the_values_add(helm: Helm, component: str) -> None:
    documents = helm.render(EVERY_VALUE)
    pod = one(documents, "Deployment", f"wardgate-{component}")["spec"]["template"]["spec"]
    found, added = container(documents, component), EVERY_VALUE[component]

    assert added["extraArgs"] == found["args"][-1:]
    assert added["extraEnv"] == found["env"][-1:]
    assert added["extraEnvFrom"] == found["envFrom"]
    assert added["extraVolumeMounts"] == found["volumeMounts"][-1:]
    assert added["extraVolumes"] == pod["volumes"][-1:]
    assert added["extraContainers"] == pod["containers"][1:]


@_BOTH
def test_deployments_have_what_the_values_add(helm: Helm, component: str) -> None:
    deployment = one(helm.render(EVERY_VALUE), "Deployment", f"wardgate-{component}")
    metadata, spec, pod = deployment["metadata"], deployment["spec"], deployment["spec"]["template"]["metadata"]

    assert {"example.com/contact": "platform", "reloader.stakater.com/auto": "true"} == metadata["annotations"]
    assert ("platform", "edge") == (metadata["labels"]["team"], metadata["labels"]["owner"])
    assert ("platform", "42") == (pod["labels"]["team"], pod["labels"]["cost-centre"])
    assert (3, 4) == (spec["minReadySeconds"], spec["revisionHistoryLimit"])


@_BOTH
def test_the_cloud_knows_an_identity_by_its_annotations(helm: Helm, component: str) -> None:
    account = one(helm.render(EVERY_VALUE), "ServiceAccount", f"wardgate-{component}")

    assert component == account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]


@_BOTH
def test_an_identity_that_exists_is_used_and_gets_the_rights(helm: Helm, component: str) -> None:
    documents = helm.render({component: {"serviceAccount": {"create": False, "name": "given"}}})
    pod = one(documents, "Deployment", f"wardgate-{component}")["spec"]["template"]["spec"]

    assert "given" == pod["serviceAccountName"]
    assert 1 == len(of_kind(documents, "ServiceAccount"))
    assert granted(helm.render(), f"wardgate/wardgate-{component}") == granted(documents, "wardgate/given")


@_BOTH
def test_pods_of_a_kind_keep_apart_where_they_can(helm: Helm, component: str) -> None:
    spec = one(helm.render(), "Deployment", f"wardgate-{component}")["spec"]
    pod, own = spec["template"]["spec"], spec["selector"]
    (zones,) = pod["topologySpreadConstraints"]
    (nodes,) = pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]

    assert ("topology.kubernetes.io/zone", "ScheduleAnyway", own) == (
        zones["topologyKey"], zones["whenUnsatisfiable"], zones["labelSelector"],
    )  # fmt: skip
    assert {"topologyKey": "kubernetes.io/hostname", "labelSelector": own} == nodes["podAffinityTerm"]


@_BOTH
def test_pods_of_a_kind_must_keep_apart_or_need_not(helm: Helm, component: str) -> None:
    hard, none = (_pod(helm, component, {component: {"spread": spread}}) for spread in ("hard", "none"))

    assert ["requiredDuringSchedulingIgnoredDuringExecution"] == list(hard["affinity"]["podAntiAffinity"])
    assert "DoNotSchedule" == hard["topologySpreadConstraints"][0]["whenUnsatisfiable"]
    assert set() == set(none) & {"affinity", "topologySpreadConstraints"}


@pytest.mark.parametrize(("values", "lowest"), [({}, None), (EVERY_VALUE, "43")])
def test_a_low_port_is_bound_by_a_safe_sysctl(helm: Helm, values: dict[str, Any], lowest: str | None) -> None:
    sysctls = _pod(helm, "proxy", values)["securityContext"].get("sysctls")

    assert (lowest and [{"name": "net.ipv4.ip_unprivileged_port_start", "value": lowest}]) == sysctls


def test_the_certificates_of_upstreams_are_mounted(helm: Helm) -> None:
    from_secret = _pod(helm, "proxy", EVERY_VALUE)["volumes"][1]
    from_config_map = _pod(helm, "proxy", {"proxy": {"upstreamCa": {"configMap": "ca"}}})["volumes"][1]

    assert {"name": "upstream-ca", "secret": {"secretName": "corporate-ca"}} == from_secret
    assert {"name": "upstream-ca", "configMap": {"name": "ca"}} == from_config_map
    assert "/etc/wardgate/upstream-ca" in [
        mount["mountPath"] for mount in container(helm.render(EVERY_VALUE), "proxy")["volumeMounts"]
    ]


def test_memory_is_bounded_in_every_container(helm: Helm) -> None:
    pods = [each["spec"]["template"]["spec"] for each in of_kind(helm.render(), "Deployment")]

    assert all(each["resources"]["limits"]["memory"] for pod in pods for each in pod["containers"])


def test_the_number_of_workers_follows_a_bounded_cpu(helm: Helm) -> None:
    """Without a limit a proxy would start a worker for each CPU of its node."""
    proxy = container(helm.render(), "proxy")

    assert "--workers=0" in proxy["args"]
    assert "2" == proxy["resources"]["limits"]["cpu"]
