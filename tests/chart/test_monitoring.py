"""Scrapes, alerts and the dashboard name only metrics, labels and reasons that operator and proxies have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart import expressions
from tests.chart.expressions import asked_labels
from tests.chart.helm import CHART, ROOT, Helm, container, of_kind, one
from tests.cluster.cluster import Cluster
from tests.e2e.installation import Installation
from wardgate.proxy.core.reasons import ReplyReason

RULES = "prometheusRule"
ALERTS = [
    rule
    for group in yaml.safe_load((CHART / "monitoring" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((CHART / "monitoring" / "dashboard.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
EXPRESSIONS = [*QUERIES, *(rule["expr"] for rule in ALERTS)]
OF_PROMETHEUS = {"namespace", "pod", "le"}
"""Labels that a scrape adds, and that of every histogram."""


def _on(name: str, **more: object) -> dict[str, Any]:
    return {"monitoring": {name: {"enabled": True, **more}}}


def test_a_pod_monitor_scrapes_each_component_at_its_admin_port(helm: Helm) -> None:
    documents = helm.render(_on("podMonitor", interval="15s", labels={"release": "prometheus"}))

    for component in ("operator", "proxy"):
        monitor = one(documents, "PodMonitor", f"wardgate-{component}")
        deployment = one(documents, "Deployment", f"wardgate-{component}")
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        assert {"port": "admin", "path": "/metrics", "interval": "15s"} == endpoint
        assert endpoint["port"] in [port["name"] for port in container(documents, component)["ports"]]
        assert deployment["spec"]["selector"] == monitor["spec"]["selector"]
        assert "prometheus" == monitor["metadata"]["labels"]["release"]


def test_a_service_monitor_scrapes_one_service_of_each_component(helm: Helm) -> None:
    documents = helm.render(_on("serviceMonitor"))

    for component in ("operator", "proxy"):
        spec = one(documents, "ServiceMonitor", f"wardgate-{component}")["spec"]
        (endpoint,) = spec["endpoints"]
        scraped = [
            service["metadata"]["name"]
            for service in of_kind(documents, "Service")
            if spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
            and endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
        ]
        assert [f"wardgate-{component}-admin"] == scraped


def test_alerts_look_at_the_pods_of_their_release(helm: Helm) -> None:
    (rule,) = of_kind(helm.render(_on(RULES), release="gate", namespace="edge"), "PrometheusRule")
    rules = [each for group in rule["spec"]["groups"] for each in group["rules"]]
    scope = '{namespace="edge",pod=~"gate-(operator|proxy)-.+"'

    assert [each["alert"] for each in ALERTS] == [each["alert"] for each in rules]
    assert [] == [name for each in rules for name in _beyond(scope, each["expr"])]
    assert "{{ $labels.pod }}" in rules[1]["annotations"]["summary"]


def test_panels_look_at_the_pods_of_the_release_that_is_chosen() -> None:
    scope = '{namespace="$namespace",pod=~"$release-(operator|proxy)-.+"'

    assert [] == [name for query in QUERIES for name in _beyond(scope, query)]


def _beyond(scope: str, expression: str) -> list[str]:
    """Give the metrics that an expression asks of everybody's pods."""
    found = re.finditer(r"\bwardgate_\w+", expression)
    return [each[0] for each in found if not expression.startswith(scope, each.end())]


def test_alerts_can_be_left_out_and_added(helm: Helm) -> None:
    added = {"name": "ours", "rules": [{"alert": "Ours", "expr": "vector(1)"}]}
    left = [each["alert"] for each in ALERTS if each["alert"] != "WardgateNobodyLeads"]
    (rule,) = of_kind(helm.render(_on(RULES, leaveOut=left, additionalGroups=[added])), "PrometheusRule")

    assert [["WardgateNobodyLeads"], ["Ours"]] == [
        [each["alert"] for each in group["rules"]] for group in rule["spec"]["groups"]
    ]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert [] == [each["alert"] for each in ALERTS if set(each["annotations"]) != {"summary", "description"}]
    assert {"critical", "warning", "info"} == {each["labels"]["severity"] for each in ALERTS}


def test_reasons_that_alerts_name_exist() -> None:
    named = {
        reason
        for each in ALERTS
        for group in re.findall(r'reason=~?"([^"]+)"', each["expr"])
        for reason in group.split("|")
    }

    assert named
    assert set() == named - {str(reason.value) for reason in ReplyReason}


def test_the_dashboard_is_a_config_map_for_the_sidecar(helm: Helm) -> None:
    (found,) = of_kind(helm.render(_on("dashboard", namespace="grafana")), "ConfigMap")

    assert ("grafana", "1") == (found["metadata"]["namespace"], found["metadata"]["labels"]["grafana_dashboard"])
    assert DASHBOARD == json.loads(found["data"]["wardgate.json"])


def test_panels_of_the_dashboard_lie_beside_each_other() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len(set(cells))
    assert 24 > max(x for x, _ in cells)


def test_every_metric_that_is_named_is_scraped(cluster: Cluster, helm: Helm, tmp_path: Path) -> None:
    with Installation(cluster, helm, tmp_path) as installation:
        pages = [installation.operator().page("/metrics"), installation.proxy().page("/metrics")]
    scraped = {name for page in pages for name in re.findall(r"# TYPE (\w+) ", page.body.decode())}

    assert set() == {name for each in EXPRESSIONS for name in expressions.metrics(each)} - scraped


def test_every_label_that_is_asked_for_is_documented() -> None:
    """Many series are not there before something goes wrong, so a scrape cannot tell."""
    rows = re.findall(
        r"^\| `(wardgate_\w+)` \| \w+ \| ([^|]*)\|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE
    )
    documented = {(name, label) for name, cell in rows for label in re.findall(r"\w+", cell)}
    asked = {pair for each in EXPRESSIONS for pair in asked_labels(each) if pair[1] not in OF_PROMETHEUS}

    assert len(asked) > 10
    assert set() == asked - documented


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ('sum by (a, b) (rate(wardgate_x_total{$scope,c="1"}[5m]))', {("wardgate_x_total", each) for each in "abc"}),
        ("sum by (a) (wardgate_x) / sum by (b) (wardgate_y_bucket)", {("wardgate_x", "a"), ("wardgate_y", "b")}),
        ("wardgate_x > 3", set()),
    ],
)
def test_expressions_are_read(expression: str, asked: set[tuple[str, str]]) -> None:
    assert asked == set(asked_labels(expression))
    assert expressions.metrics(expression) >= {name for name, _ in asked}


def test_the_package_has_all_that_the_folder_has(helm: Helm, tmp_path: Path) -> None:
    values = {"monitoring": {name: {"enabled": True} for name in ("podMonitor", RULES, "dashboard")}}
    helm.text("package", str(CHART), "--destination", str(tmp_path))
    (package,) = tmp_path.glob("*.tgz")

    assert helm.text("template", "gate", str(CHART), values=values) == helm.text(
        "template", "gate", str(package), values=values
    )
