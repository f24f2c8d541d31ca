"""promtool lets the alerts watch a recording (``record``): what fires at which time, and that nothing else does."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.chart.helm import Helm, of_kind
from tests.chart.judges.record import RECORDED, SCRAPE_SECONDS
from tests.chart.judges.sheets import said

_ON: Final = {"monitoring": {"prometheusRule": {"enabled": True}}}
_AWAY: Final = ("WardgateConfigOld", "WardgateNobodyLeads", "WardgateWatchSilent")
FIRING: Final[Mapping[str, Collection[str]]] = {
    "1m": (),
    "3m": (),
    "4m": ("WardgateNobodyLeads",),
    "5m": ("WardgateConfigOld", "WardgateNobodyLeads"),
    "6m": _AWAY,
    "9m": _AWAY,
    "10m": (),
    "11m": ("WardgateWorkersDie",),
    "12m": ("WardgateWorkersDie",),
    "13m": ("WardgateKeysGuessed", "WardgateWorkersDie"),
}
"""All alerts that fire after so long: the API server stands still from 1m to 9m, the worker is killed four times from
10m to 11m, and keys are guessed all the time."""


def judge_recording(promtool: str, helm: Helm, folder: Path) -> list[str]:
    """Give what promtool says of the alerts on the recording."""
    (rendered,) = of_kind(helm.render(_ON), "PrometheusRule")
    series = json.loads(RECORDED.read_text(encoding="utf-8"))
    (folder / "rules-of-recording.yaml").write_text(yaml.safe_dump(rendered["spec"]))
    tests = {
        "rule_files": ["rules-of-recording.yaml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "name": "recorded faults",
                "interval": f"{SCRAPE_SECONDS}s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [_moment(at, alerts) for at, alerts in FIRING.items()],
            }
        ],
    }
    (folder / "tests-of-recording.yaml").write_text(yaml.safe_dump(tests))
    return said(promtool, "test", "rules", folder / "tests-of-recording.yaml")


def _moment(at: str, alerts: Collection[str]) -> dict[str, Any]:
    return {
        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": at,
        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)],
    }
