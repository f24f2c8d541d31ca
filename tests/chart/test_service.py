"""The Service takes what balancers need, and says nothing where nothing is asked."""

from __future__ import annotations

import copy

from tests.chart.helm import Helm, one
from tests.chart.values import EVERY_VALUE, NLB

AWS = "service.beta.kubernetes.io/aws-load-balancer-"


def test_the_service_has_what_the_values_say(helm: Helm) -> None:
    service = one(helm.render(EVERY_VALUE), "Service", "wardgate-proxy")
    values = EVERY_VALUE["proxy"]["service"]

    for name in set(values) - {"labels", "annotations", "proxyProtocol"}:
        assert values[name] == service["spec"][name]
    assert "yes" == service["metadata"]["labels"]["exposed"]
    assert "internal" == service["metadata"]["annotations"]["example.com/scheme"]
    assert {"name": "plain", "port": 9000, "targetPort": "plain", "nodePort": 30900, "appProtocol": "http"} == (
        service["spec"]["ports"][1]
    )


def test_by_default_the_service_has_both_families_where_the_cluster_has(helm: Helm) -> None:
    spec = one(helm.render(), "Service", "wardgate-proxy")["spec"]

    assert {"type", "ipFamilyPolicy", "selector", "ports"} == set(spec)
    assert "PreferDualStack" == spec["ipFamilyPolicy"]


def test_the_proxy_protocol_is_asked_of_the_balancer(helm: Helm) -> None:
    annotations = one(helm.render(EVERY_VALUE), "Service", "wardgate-proxy")["metadata"]["annotations"]

    assert "*" == annotations[f"{AWS}proxy-protocol"]


def test_an_nlb_reaches_pods_and_asks_the_admin_port_whether_they_are_ready(helm: Helm) -> None:
    documents = helm.render(NLB)
    service = one(documents, "Service", "wardgate-proxy")
    asked = {name.removeprefix(AWS): value for name, value in service["metadata"]["annotations"].items()}
    admin = {each["name"]: each["port"] for each in one(documents, "Service", "wardgate-proxy-admin")["spec"]["ports"]}

    assert ("service.k8s.aws/nlb", False) == (
        service["spec"]["loadBalancerClass"],
        service["spec"]["allocateLoadBalancerNodePorts"],
    )
    assert ("ip", "internal") == (asked["nlb-target-type"], asked["scheme"])
    assert ("http", str(admin["admin"]), "/readyz") == (
        asked["healthcheck-protocol"],
        asked["healthcheck-port"],
        asked["healthcheck-path"],
    )
    assert "preserve_client_ip.enabled=true" in asked["target-group-attributes"]


def test_an_nlb_lets_go_of_a_pod_before_the_pod_stops_taking_connections() -> None:
    values = copy.deepcopy(NLB["proxy"])
    asked = {name.removeprefix(AWS): value for name, value in values["service"]["annotations"].items()}
    notices = int(asked["healthcheck-interval"]) * int(asked["healthcheck-unhealthy-threshold"])

    assert values["shutdownDelaySeconds"] >= notices + 120
