"""promtool reads the alerts as the chart renders them, tries each with series, and reads the dashboard's queries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import CHART, Helm, of_kind
from tests.chart.judges.alert_cases import FIRING, QUIET, Case
from tests.chart.judges.sheets import run

_ON = {"monitoring": {"prometheusRule": {"enabled": True}}}
_VARIABLES = {"$__rate_interval": "5m", "$namespace": "wardgate", "$release": "wardgate"}
"""What Grafana puts in the place of the dashboard's variables."""


def judge_alerts(promtool: str, helm: Helm, folder: Path) -> list[str]:
    """Give what promtool says of the rules, and alerts that no case tries."""
    (rendered,) = of_kind(helm.render(_ON), "PrometheusRule")
    rules = {rule["alert"]: rule for group in rendered["spec"]["groups"] for rule in group["rules"]}
    (folder / "rules.yaml").write_text(yaml.safe_dump(rendered["spec"]))
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [_test(case, rules[case.alert]) for case in (*FIRING, *QUIET)],
    }
    (folder / "tests.yaml").write_text(yaml.safe_dump(tests))
    untried = [f"{name} has no case {what}" for name in rules for what in _missing(name)]
    return [*untried, *_said(promtool, "check", "rules", folder / "rules.yaml"),
            *_said(promtool, "test", "rules", folder / "tests.yaml")]  # fmt: skip


def judge_queries(promtool: str, folder: Path) -> list[str]:
    """Let promtool read every query of the dashboard, as a rule that records it."""
    dashboard = json.loads((CHART / "monitoring" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    for name, value in _VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (folder / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    return _said(promtool, "check", "rules", folder / "queries.yaml")


def _missing(alert: str) -> list[str]:
    return [what for what, cases in (("firing", FIRING), ("quiet", QUIET)) if alert not in [one.alert for one in cases]]


def _test(case: Case, rule: dict[str, Any]) -> dict[str, Any]:
    firing = {
        "exp_labels": {**rule["labels"], **case.labels},
        "exp_annotations": {"summary": case.summary, "description": rule["annotations"]["description"]},
    }
    return {
        "name": f"{case.alert} {'fires' if case.fires else 'is quiet'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [
            {"eval_time": "30m", "alertname": case.alert, "exp_alerts": [firing] if case.fires else []}
        ],
    }


def _said(promtool: str, *arguments: object) -> list[str]:
    ended = run(promtool, *arguments)
    return (ended.stdout + ended.stderr).splitlines() if ended.returncode else []
