"""The examples' objects of Argo CD, Flux, External Secrets and cert-manager against the schemas that these publish.

A minute, and downloads: ``make examples-check`` runs this, ``make test`` does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.binaries import CACHE, to_stderr
from tests.cluster.cluster import Cluster
from tests.cluster.go_toolchain import find_go
from tests.conftest import StartCluster
from tests.gitops.published import crds
from tests.gitops.test_manifests import FOLDERS, dry_run, is_foreign, manifests

FOREIGN = [each for each in manifests(*FOLDERS) if is_foreign(each)]


@pytest.fixture(scope="module")
def platform(start_cluster: StartCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """An API server with the tools' CRDs."""
    scratch = tmp_path_factory.mktemp("published")
    go = find_go(CACHE, say=to_stderr)
    with start_cluster() as admin:
        for path in crds(go, scratch):
            admin.install_crds(path)
        for namespace in {each["metadata"]["namespace"] for each in FOREIGN}:
            admin.named_namespace(namespace)
        yield admin


@pytest.mark.parametrize("manifest", FOREIGN, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_tool_takes_the_manifest(platform: Cluster, manifest: Any) -> None:
    dry_run(platform, [manifest])


@pytest.mark.parametrize("kind", sorted({each["kind"] for each in FOREIGN}))
def test_tool_refuses_a_field_that_it_does_not_know(platform: Cluster, kind: str) -> None:
    """Otherwise the other test would prove nothing."""
    manifest = next(each for each in FOREIGN if each["kind"] == kind)
    wrong = {**manifest, "spec": {**manifest["spec"], "noSuchField": True}}
    with pytest.raises(AssertionError, match="noSuchField"):
        platform.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump(wrong))
