"""promtool reads the alerts as the chart renders them, and tries each with series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import Helm, of_kind
from tests.chart.judges.alert_cases import FIRING, QUIET, Case
from tests.chart.judges.sheets import said

_ON = {"monitoring": {"prometheusRule": {"enabled": True}}}


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
    return [*untried, *said(promtool, "check", "rules", folder / "rules.yaml"),
            *said(promtool, "test", "rules", folder / "tests.yaml")]  # fmt: skip


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
