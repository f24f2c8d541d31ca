"""Objects as the real API server held them while the operator worked, one file a kind below ``tests/golden/gitops``.

``test_recordings.py`` makes them; whoever asks how a tool sees our objects reads them, and needs no cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import yaml

Object: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "golden" / "gitops"
OBJECTS = Path(__file__).parent / "objects.yaml"

HEALTHY = ("good",)
"""States in which a rollout is over."""
FAILED = ("broken",)
"""States in which a rollout has failed, whatever comes."""
PROGRESSING = ("fresh", "changed", "unserved")
"""Nobody has looked at it; nobody has looked at its new generation; no proxy serves it yet."""
STATES = (*HEALTHY, *FAILED, *PROGRESSING, "incomplete")
"""The last one waits for another object."""


def read(kind: str) -> dict[str, Object]:
    """Give the recorded objects of a kind by their states."""
    found = yaml.safe_load((FOLDER / f"{kind}.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def recorded(*states: str) -> list[tuple[str, str]]:
    """Give kind and state of every recorded object that is in one of these states."""
    return [
        (path.stem, state) for path in sorted(FOLDER.glob("*.yaml")) for state in states if state in read(path.stem)
    ]
