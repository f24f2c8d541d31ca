"""A value that is misspelt, wrong or without effect is refused, with a message that says where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.documented import OF_A_PARENT_CHART, read_schema, read_values
from tests.chart.helm import Helm, HelmRefused
from tests.chart.values import NLB

_TWO = [{"name": "a", "port": 80, "targetPort": 8080}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"proxy": {"replica": 3}}, "at '/proxy': additional properties 'replica' not allowed"),
        ({"keyNamespace": ["a"]}, "at '': additional properties 'keyNamespace' not allowed"),
        ({"tenancy": "isolatd"}, "at '/tenancy': value must be one of 'shared', 'isolated'"),
        ({"requireAuth": "yes"}, "at '/requireAuth': got string, want boolean"),
        ({"foreignGuards": False}, "at '/foreignGuards': value must be one of 'close', 'ignore'"),
        ({"writeStatus": "off"}, "at '/writeStatus': got string, want boolean"),
        ({"proxy": {"replicas": 0}}, "at '/proxy/replicas': minimum: got 0, want 1"),
        ({"watchNamespaces": ["Team_A"]}, "at '/watchNamespaces/0': 'Team_A' does not match pattern"),
        ({"gateways": "team in (a)"}, "at '/gateways': 'team in (a)' does not match pattern"),
        ({"keyNamespaces": ["a", "a"]}, "at '/keyNamespaces': items at 0 and 1 are equal"),
        ({"image": {"digest": "latest"}}, "at '/image/digest': 'latest' does not match pattern"),
        ({"image": {"pullPolicy": "always"}}, "at '/image/pullPolicy': value must be one of"),
        ({"proxy": {"ports": []}}, "at '/proxy/ports': minItems: got 0, want 1"),
        ({"proxy": {"ports": [{"name": "http", "port": 80}]}}, "at '/proxy/ports/0': missing property 'targetPort'"),
        (
            {"proxy": {"ports": [{"name": "http", "port": 80, "targetPort": 0}]}},
            "at '/proxy/ports/0/targetPort': minimum: got 0, want 1",
        ),
        ({"proxy": {"settings": {"timeouts": {"idle": 3}}}}, "at '/proxy/settings/timeouts': got object, want"),
    ],
)
def test_the_schema_refuses_a_wrong_value_and_says_where(helm: Helm, values: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmRefused) as refused:
        helm.render(values)

    assert f"- {message}" in str(refused.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"platformNamespaces": ["platform"]}, "platformNamespaces has no effect with tenancy: shared"),
        ({"tenancy": "isolated"}, "tenancy: isolated without platformNamespaces serves nothing"),
        ({"proxy": {"settings": {"timeouts.drain": 60}}}, "timeouts.drain is set by proxy.drainSeconds"),
        (
            {"proxy": {"settings": {"timeouts.shutdown_delay": 60}}},
            "timeouts.shutdown_delay is set by proxy.shutdownDelaySeconds",
        ),
        ({"proxy": {"ports": [*_TWO, {**_TWO[0], "name": "b", "port": 81}]}}, "two entries have the targetPort 8080."),
        ({"proxy": {"ports": [*_TWO, {**_TWO[0], "name": "b", "targetPort": 8081}]}}, "two entries have the port 80."),
        ({"proxy": {"ports": [*_TWO, {**_TWO[0], "port": 81, "targetPort": 8081}]}}, "two entries have the name a."),
        ({"proxy": {"ports": [{**_TWO[0], "targetPort": 9901}]}}, 'the entry "a" has targetPort 9901'),
        ({"proxy": {"ports": [{**_TWO[0], "name": "admin"}]}}, 'the name "admin" belongs to the proxy'),
        ({"enabled": False}, "enabled is the condition of a parent chart"),
        (
            {"operator": {"podLabels": {"app.kubernetes.io/component": "proxy"}}},
            "operator.podLabels: app.kubernetes.io/component is what Services and policies select by",
        ),
        ({"proxy": {"serviceAccount": {"create": False}}}, "proxy.serviceAccount: without create, name says"),
        ({"proxy": {"serviceAccount": {"name": "wardgate-operator"}}}, "a proxy would have the operator's rights"),
        (
            {"proxy": {"podDisruptionBudget": {"maxUnavailable": None}}},
            "proxy.podDisruptionBudget: neither minAvailable nor maxUnavailable is set",
        ),
        ({"proxy": {"autoscaling": {"enabled": True, "minReplicas": 11}}}, "minReplicas is more than maxReplicas"),
        (
            {"proxy": {"autoscaling": {"enabled": True, "targetCPUUtilizationPercentage": None}}},
            "there is nothing to scale by",
        ),
        (
            {"proxy": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
            "proxy.resources.requests.cpu is not set",
        ),
        ({"proxy": {"upstreamCa": {"configMap": "a", "secret": "b"}}}, "configMap and secret are both set"),
        ({"proxy": {"service": {"proxyProtocol": True}}}, "proxyProtocol has no effect with type ClusterIP"),
        (
            {"proxy": {"service": {"allocateLoadBalancerNodePorts": False}}},
            "allocateLoadBalancerNodePorts has no effect with type ClusterIP",
        ),
        ({**NLB, "networkPolicy": {"enabled": True}}, "Name the balancer's subnets in networkPolicy.adminNetworks"),
        (
            {"monitoring": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
            "everything would be counted twice",
        ),
        (
            {"monitoring": {"prometheusRule": {"enabled": True, "leaveOut": ["WardgateNobodyLead"]}}},
            "there is no alert WardgateNobodyLead",
        ),
        (
            {"proxy": {"service": {**NLB["proxy"]["service"], "proxyProtocol": True}}},
            "an AWS balancer sends the PROXY header in its health checks too",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(helm: Helm, values: dict[str, Any], message: str) -> None:
    with pytest.raises(HelmRefused) as refused:
        helm.render(values)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("release", "message"),
    [
        ("a.b", 'The release name "a.b" becomes the name of Services and a namespace'),
        ("1st", 'The release name "1st" becomes the name of Services and a namespace'),
        ("a" * 52, "is too long: the name of the Service"),
    ],
)
def test_a_release_name_that_no_service_can_have_is_refused(helm: Helm, release: str, message: str) -> None:
    with pytest.raises(HelmRefused) as refused:
        helm.render(release=release)

    assert message in str(refused.value)


def test_the_longest_release_name_renders(helm: Helm) -> None:
    names = [document["metadata"]["name"] for document in helm.render(release="a" * 51)]

    assert 63 == max(len(name) for name in names if name.endswith("-proxy-admin"))


def test_a_parent_chart_may_pass_its_globals(helm: Helm) -> None:
    assert helm.render() == helm.render({"global": {"environment": "prod"}})


def test_every_value_is_in_the_schema_and_the_schema_has_no_others() -> None:
    assert {value.name for value in read_values()} == set(_schema_names(read_schema())) - set(OF_A_PARENT_CHART)


def _schema_names(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        if "properties" in part and name != "global":
            yield from _schema_names(part, f"{path}{name}.")
        else:
            yield path + name


def test_every_object_of_the_schema_is_closed() -> None:
    objects = [(path, part) for path, part in _objects(read_schema()) if "properties" in part]
    open_ones = [path for path, part in objects if part.get("additionalProperties", True)]

    assert ["/properties/global"] == open_ones, "A parent chart's globals are for all of its charts."


def _objects(part: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    nested = [
        pair for name, value in part.items() if isinstance(value, dict) for pair in _objects(value, f"{path}/{name}")
    ]
    return [(path, part), *nested] if part.get("type") == "object" else nested
