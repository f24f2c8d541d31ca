"""The chart's copies are what they are copies of."""

from __future__ import annotations

import yaml

from tests.chart.helm import CHART, ROOT
from wardgate import __version__


def test_the_chart_carries_the_custom_resource_definitions_of_the_repository() -> None:
    expected = {path.name: path.read_bytes() for path in (ROOT / "crds").iterdir()}
    actual = {path.name: path.read_bytes() for path in (CHART / "crds").iterdir()}

    assert expected == actual, "run: cp crds/*.yaml charts/wardgate/crds/"


def test_the_chart_installs_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert __version__ == chart["appVersion"]
