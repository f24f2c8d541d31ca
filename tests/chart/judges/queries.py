"""promtool tries each query of the dashboard on series with all documented labels: none may find nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.chart.helm import CHART, ROOT
from tests.chart.judges.alert_cases import OPERATOR, PROXY
from tests.chart.judges.sheets import said

_VARIABLES = {"$__rate_interval": "5m", "$namespace": "wardgate", "$release": "wardgate"}
"""What Grafana puts in the place of the dashboard's variables."""
_VALUES = {"code_class": "5xx", "status": "429"}
"""Values of labels that some query asks for; any will do for the others."""


def judge_queries(promtool: str, folder: Path) -> list[str]:
    """Give the queries that cannot be read, or find nothing."""
    questions = [{"expr": f"count({query}) > bool 0", "eval_time": "30m"} for query in _queries()]
    found = {"exp_samples": [{"labels": "{}", "value": 1}]}
    series = [{"series": name, "values": "1+60x40"} for name in sorted(_series())]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": [{**each, **found} for each in questions]}
    (folder / "queries.yaml").write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}))
    return said(promtool, "test", "rules", folder / "queries.yaml")


def _queries() -> list[str]:
    text = (CHART / "monitoring" / "dashboard.json").read_text()
    queries = [target["expr"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]
    for name, value in _VARIABLES.items():
        queries = [query.replace(name, value) for query in queries]
    return queries


def _series() -> Iterator[str]:
    """Give a series of each metric of the documents."""
    rows = re.findall(
        r"^\| `(wardgate_\w+)` \| (\w+) \| ([^|]*)\|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE
    )
    for name, kind, labels in rows:
        pod = OPERATOR if name.startswith("wardgate_operator_") else PROXY
        here = {**pod, **{label: _VALUES.get(label, "any") for label in re.findall(r"\w+", labels)}}
        if kind == "histogram":
            yield from (_named(f"{name}_bucket", {**here, "le": bound}) for bound in ("0.1", "1", "+Inf"))
            yield from (_named(f"{name}_{part}", here) for part in ("sum", "count"))
        else:
            yield _named(name, here)


def _named(metric: str, labels: dict[str, str]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inside}}}"
