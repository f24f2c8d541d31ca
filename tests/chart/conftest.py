"""Helm with the chart, in the place of the bare program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chart.helm import Helm


@pytest.fixture(scope="session")
def helm(helm: Path) -> Helm:
    """The real Helm."""
    return Helm(helm)
