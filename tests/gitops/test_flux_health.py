"""The health checks of the example for Flux, evaluated by the real CEL over recorded objects.

Flux asks in this order: is it in progress, has it failed, is it current. If none is true, it is in progress.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.binaries import cel_binary
from tests.gitops.recordings import Object, read
from tests.gitops.test_manifests import manifests

pytestmark = pytest.mark.slow

KIND = "ExtAuthPolicy"
_SECONDS = 60.0


@pytest.fixture(scope="module")
def cel(say: Callable[[str], None]) -> Path:
    return cel_binary(say=say)


def verdict(cel: Path, found: Object) -> str:
    """Give Flux's verdict on a policy."""
    (kustomization,) = [each for each in manifests("flux") if each["kind"] == "Kustomization"]
    (check,) = kustomization["spec"]["healthCheckExprs"]
    assert KIND == check["kind"]
    expressions = [check[name] for name in ("inProgress", "failed", "current")]
    asked = json.dumps({"expressions": expressions, "objects": [found]})
    ended = subprocess.run([cel], input=asked, capture_output=True, text=True, timeout=_SECONDS, check=True)
    (results,) = json.loads(ended.stdout)
    told = zip(("InProgress", "Failed", "Current"), results, strict=True)
    return next((name for name, holds in told if holds), "InProgress")


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ("good", "Current"),
        ("broken", "Failed"),
        ("fresh", "InProgress"),
        ("changed", "InProgress"),
        ("unserved", "InProgress"),
    ],
)
def test_flux_tells_states_apart(cel: Path, state: str, wanted: str) -> None:
    assert wanted == verdict(cel, read(KIND)[state])


def test_policy_with_a_warning_holds_the_rollout(cel: Path) -> None:
    found = read(KIND)["good"]
    found["status"]["common"]["State"]["approval"] = "WARNING"

    assert "InProgress" == verdict(cel, found)
