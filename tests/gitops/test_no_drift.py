"""Nothing that the operator writes belongs to Git: after it has worked, a GitOps tool finds nothing to apply again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.objects import read_manifests
from tests.e2e.installation import Installation
from tests.gitops.recordings import OBJECTS
from wardgate.api import KINDS

TOOLS = {"Argo CD": "argocd-controller", "Flux": "kustomize-controller"}
"""The field managers by which they apply."""
_IN_GIT = [each for each in read_manifests(OBJECTS) if each["metadata"]["name"] in {"good", "near", "key"}]
_EXPORTED: Any = {
    "metadata": {"creationTimestamp": None},
    "status": {"common": {"State": {"approval": "ACCEPTED", "observedGeneration": 7}}},
}
"""The parts of an object exported from a live Gloo that people commit with it."""


class Git:
    """Objects as a tool holds them, in a namespace of their own."""

    def __init__(self, cluster: Cluster, namespace: str, manager: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.manager = manager
        self.text = yaml.safe_dump_all([_as_committed(each, namespace) for each in _IN_GIT])

    def kubectl(self, verb: str) -> Any:
        """Run a verb of kubectl as the tool, over all that is committed."""
        flags = ("--server-side", "--field-manager", self.manager, "-f", "-")
        return self.cluster.kubectl(verb, *flags, stdin=self.text, check=False)

    def live(self) -> list[Any]:
        """The objects of our kinds as the API server has them."""
        wanted = [each for each in _IN_GIT if each["kind"] in KINDS]
        return [self.cluster.get(each["kind"], each["metadata"]["name"], namespace=self.namespace) for each in wanted]


def _as_committed(manifest: Any, namespace: str) -> Any:
    metadata = {**manifest["metadata"], "namespace": namespace}
    if manifest["kind"] not in KINDS:
        return {**manifest, "metadata": metadata}
    return {**manifest, **_EXPORTED, "metadata": {**metadata, **_EXPORTED["metadata"]}}


def _is_ready(found: Any) -> bool:
    conditions = found["status"].get("conditions", ())
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


@pytest.mark.parametrize("tool", TOOLS)
def test_operator_writes_nothing_that_is_in_git(cluster: Cluster, helm: Path, tmp_path: Path, tool: str) -> None:
    git = Git(cluster, cluster.namespace("git"), TOOLS[tool])
    applied = git.kubectl("apply")
    assert 0 == applied.returncode, applied.stderr
    before = {each["metadata"]["uid"]: each["metadata"] for each in git.live()}
    with Installation(cluster, Helm(helm), tmp_path) as installation:
        installation.operator()
        for _ in installation.admin_ports:
            installation.proxy()
        installation.wait_until(lambda: all(map(_is_ready, git.live())), "the operator has told of every object")

        compared = git.kubectl("diff")
        after = git.live()

    assert (0, "") == (compared.returncode, compared.stdout), compared.stderr
    for found in after:
        was, is_now = before[found["metadata"]["uid"]], found["metadata"]
        kept = ("generation", "labels", "annotations", "finalizers", "ownerReferences")
        assert [was.get(name) for name in kept] == [is_now.get(name) for name in kept]
        owners = {(one["manager"], one.get("subresource", "")) for one in is_now["managedFields"]}
        assert {(TOOLS[tool], "")} == {one for one in owners if one[1] != "status"}
        assert TOOLS[tool] not in {manager for manager, part in owners if part == "status"}
