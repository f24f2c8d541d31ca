"""Whoever scales is not overruled, and evictions leave enough pods."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.helm import Helm, of_kind, one
from tests.chart.values import EVERY_VALUE

AUTOSCALED = {"proxy": {"autoscaling": {"enabled": True, "targetMemoryUtilizationPercentage": 80, "maxReplicas": 5}}}


@pytest.mark.parametrize(
    ("values", "operator", "proxy"),
    [
        ({}, 2, 2),
        (AUTOSCALED, 2, None),
        ({"proxy": {"replicas": None}, "operator": {"replicas": None}}, None, None),
    ],
)
def test_replicas_are_left_out_where_something_else_scales(
    helm: Helm, values: dict[str, Any], operator: int | None, proxy: int | None
) -> None:
    documents = helm.render(values)

    assert (operator, proxy) == tuple(
        one(documents, "Deployment", f"wardgate-{component}")["spec"].get("replicas")
        for component in ("operator", "proxy")
    )


def test_an_autoscaler_scales_the_proxy_by_what_it_requests(helm: Helm) -> None:
    (scaler,) = of_kind(helm.render(AUTOSCALED), "HorizontalPodAutoscaler")
    spec = scaler["spec"]

    assert {"apiVersion": "apps/v1", "kind": "Deployment", "name": "wardgate-proxy"} == spec["scaleTargetRef"]
    assert (2, 5) == (spec["minReplicas"], spec["maxReplicas"])
    assert {"cpu": 70, "memory": 80} == {
        each["resource"]["name"]: each["resource"]["target"]["averageUtilization"] for each in spec["metrics"]
    }
    assert [{"type": "Pods", "value": 1, "periodSeconds": 60}] == spec["behavior"]["scaleDown"]["policies"]


def test_there_is_no_autoscaler_by_default(helm: Helm) -> None:
    assert [] == of_kind(helm.render(), "HorizontalPodAutoscaler")


@pytest.mark.parametrize("component", ["operator", "proxy"])
def test_two_pods_of_a_kind_are_never_evicted_at_once(helm: Helm, component: str) -> None:
    documents = helm.render()
    budget = one(documents, "PodDisruptionBudget", f"wardgate-{component}")["spec"]

    assert 1 == budget["maxUnavailable"]
    assert one(documents, "Deployment", f"wardgate-{component}")["spec"]["selector"] == budget["selector"]
    assert "AlwaysAllow" == budget["unhealthyPodEvictionPolicy"]


def test_a_budget_says_how_many_stay_or_how_many_go(helm: Helm) -> None:
    budgets = of_kind(helm.render(EVERY_VALUE), "PodDisruptionBudget")

    assert [("50%", None)] * 2 == [
        (each["spec"]["minAvailable"], each["spec"].get("maxUnavailable")) for each in budgets
    ]


def test_each_kind_has_a_budget_of_its_own(helm: Helm) -> None:
    documents = helm.render({"operator": {"podDisruptionBudget": {"maxUnavailable": 2}}})

    assert {"wardgate-operator": 2, "wardgate-proxy": 1} == {
        each["metadata"]["name"]: each["spec"]["maxUnavailable"] for each in of_kind(documents, "PodDisruptionBudget")
    }


def test_there_is_no_budget_where_none_is_wanted(helm: Helm) -> None:
    off = {"podDisruptionBudget": {"enabled": False}}

    assert [] == of_kind(helm.render({"operator": off, "proxy": off}), "PodDisruptionBudget")
