"""The chart as it renders for each combination of values, in files for the judges."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.chart.combinations import COMBINATIONS
from tests.chart.helm import Helm

SECONDS = 600.0


def write_sheets(helm: Helm, folder: Path) -> list[Path]:
    """Write a file for each combination."""
    folder.mkdir()
    sheets = [folder / f"{name.replace(' ', '-')}.yaml" for name in COMBINATIONS]
    for sheet, values in zip(sheets, COMBINATIONS.values(), strict=True):
        sheet.write_text(yaml.safe_dump_all(helm.render(values)))
    return sheets


def run(*command: object, accepted: Sequence[int] = (0, 1)) -> subprocess.CompletedProcess[str]:
    """Run a judge. 1 is how all of them say that they found something; anything else is a failure of the judge."""
    words = [str(word) for word in command]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    if ended.returncode not in accepted:
        raise RuntimeError(f"{' '.join(words)}: status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended


def said(*command: object) -> list[str]:
    """Run a judge whose words are the faults."""
    ended = run(*command)
    return (ended.stdout + ended.stderr).splitlines() if ended.returncode else []
