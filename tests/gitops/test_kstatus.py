"""The view of Flux and ``helm --wait`` of our objects: the real kstatus over recorded objects."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.binaries import kstatus_binary
from tests.gitops.recordings import FAILED, HEALTHY, PROGRESSING, Object, read, recorded

pytestmark = pytest.mark.slow

_SECONDS = 60.0


@pytest.fixture(scope="module")
def kstatus(say: Callable[[str], None]) -> Path:
    return kstatus_binary(say=say)


def verdicts(kstatus: Path, objects: list[Object]) -> list[str]:
    """Current, InProgress or Failed for each object."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    ended = subprocess.run([kstatus], input=listed, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return [one["status"] for one in json.loads(ended.stdout)]


@pytest.mark.parametrize(
    ("states", "wanted"),
    [
        (HEALTHY, "Current"),
        (FAILED, "Failed"),
        (PROGRESSING, "InProgress"),
        # Another object may be on its way, so a rollout waits until its own time-out.
        (("incomplete",), "InProgress"),
    ],
)
def test_kstatus_agrees(kstatus: Path, states: tuple[str, ...], wanted: str) -> None:
    objects = recorded(*states)
    told = verdicts(kstatus, [read(kind)[state] for kind, state in objects])

    assert [(*one, wanted) for one in objects] == [(*one, said) for one, said in zip(objects, told, strict=True)]
