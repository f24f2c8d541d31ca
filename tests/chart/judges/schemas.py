"""Kubernetes' own schemas, without unknown fields, of the oldest version that the chart takes and of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.chart.judges.sheets import run

VERSIONS = ("1.27", "1.36")


def judge_schemas(tools: Path, sheets: Sequence[Path]) -> list[str]:
    """Give what is not valid."""
    faults = []
    for version in VERSIONS:
        ended = run(tools / "kubernetes-validate", "--strict", "--quiet", "--kubernetes-version", version, *sheets)
        if ended.returncode:
            faults += [f"{version}: {line}" for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return faults
