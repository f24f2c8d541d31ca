"""Helm with the chart, in the place of the bare program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chart.helm import Helm

# The image's environment needs the compiled wheel, which only an environment of `make test-compiled` has beside it.
collect_ignore = [] if os.environ.get("TESTED_FORM") == "compiled" else ["test_built_image.py"]


@pytest.fixture(scope="session")
def helm(helm: Path) -> Helm:
    """The real Helm."""
    return Helm(helm)
