"""Outputs kept as files. ``WARDGATE_GOLDEN=write`` rewrites them; the difference is then read, and committed."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "golden" / "cli"
WRITE = os.environ.get("WARDGATE_GOLDEN") == "write"


def golden(name: str, actual: str) -> str:
    """Return what the file holds, which is ``actual`` after it has been written."""
    path = FOLDER / name
    if WRITE:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual)
    return path.read_text()
