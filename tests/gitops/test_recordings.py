"""Statuses that GitOps tools read are recorded from a running operator on a real API server.

``WARDGATE_GOLDEN=write`` writes the recordings anew; read the diff.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.objects import read_manifests
from tests.e2e.ending import kill_leader
from tests.e2e.installation import Installation
from tests.gitops.recordings import FOLDER, OBJECTS, Object, read
from wardgate.api import KINDS

NAMESPACE = "gitops"
_MANIFESTS = [each for each in read_manifests(OBJECTS) if each["kind"] in KINDS]
_TIME = "2026-01-01T00:00:00Z"
_LATE = re.compile(r"(serves this generation yet\.) .*")
"""Proxies that are late are named, with a port of the test's own."""


class Recorder:
    """Keeps objects by kind and state, without what differs from run to run."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kept: dict[str, dict[str, Object]] = defaultdict(dict)

    def objects(self, *names: str) -> list[Object]:
        """The objects of these names, as they are now."""
        wanted = [each for each in _MANIFESTS if each["metadata"]["name"] in names]
        return [self.cluster.get(each["kind"], each["metadata"]["name"], namespace=NAMESPACE) for each in wanted]

    def keep(self, state: str, *names: str) -> None:
        """Record the objects of these names, or of the state's own name."""
        for found in self.objects(*(names or (state,))):
            metadata = {key: found["metadata"][key] for key in ("name", "namespace", "generation")}
            self.kept[found["kind"]][state] = {
                **found,
                "metadata": metadata,
                "status": _without_chance(found["status"]),
            }


def test_recordings_are_what_an_operator_writes_today(cluster: Cluster, helm: Path, tmp_path: Path) -> None:
    cluster.named_namespace(NAMESPACE)
    cluster.apply(OBJECTS, namespace=NAMESPACE)
    recorder = Recorder(cluster)
    recorder.keep("fresh", "good")
    with Installation(cluster, Helm(helm), tmp_path) as installation:
        operator = installation.operator()
        installation.wait_until(lambda: _reasons(recorder.objects("good")) == {"NotProgrammed"}, "nobody serves them")
        recorder.keep("unserved", "good")
        for _ in installation.admin_ports:
            installation.proxy()
        installation.wait_until(lambda: _reasons(recorder.objects("good")) == {"Ready"}, "all good ones are ready")
        for state in ("good", "broken", "incomplete"):
            recorder.keep(state)
        kill_leader(installation, operator)
        for manifest in _MANIFESTS:
            if manifest["metadata"]["name"] == "good":
                cluster.patch(manifest["kind"], "good", {"spec": _CHANGES[manifest["kind"]]}, namespace=NAMESPACE)
        recorder.keep("changed", "good")

    if os.environ.get("WARDGATE_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        for kind, states in recorder.kept.items():
            text = yaml.safe_dump(states, sort_keys=True, width=110)
            (FOLDER / f"{kind}.yaml").write_text(text, encoding="utf-8")
    assert set(KINDS) == set(recorder.kept)
    assert {kind: _without_words(read(kind)) for kind in KINDS} == _without_words(recorder.kept)


_CHANGES: dict[str, dict[str, Any]] = {
    "VirtualGateway": {"listeners": [{"http": {}, "port": {"number": 8082}}]},
    "RouteTable": {"hosts": ["other.example.com"]},
    "ExternalService": {"hosts": ["api.anthropic.com"]},
    "ExternalEndpoint": {"address": "192.0.2.8"},
    "ExtAuthPolicy": {"applyToRoutes": []},
    "TransformationPolicy": {"applyToRoutes": []},
    "ExtAuthServer": {"failureModeAllow": False},
}


def _reasons(objects: list[Object]) -> set[str]:
    return {
        one["reason"]
        for each in objects
        for one in each.get("status", {}).get("conditions") or [{"type": "Ready", "reason": "none yet"}]
        if one["type"] == "Ready"
    }


def _without_chance(status: Object) -> Object:
    conditions = [
        {**one, "lastTransitionTime": _TIME, "message": _LATE.sub(r"\1", one["message"])}
        for one in status.get("conditions", ())
    ]
    return {**status, **({"conditions": conditions} if conditions else {})}


def _without_words(part: Any) -> Any:
    """Tools read no messages, so a better one does not ask for a new recording."""
    if isinstance(part, dict):
        return {key: _without_words(value) for key, value in part.items() if key != "message"}
    return [_without_words(each) for each in part] if isinstance(part, list) else part
