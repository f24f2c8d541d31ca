"""Fixtures: a desk in a folder of the test's own, and one in front of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.documents.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path) as made:
        yield made


@pytest.fixture
def console(desk: Desk, private_cluster: Cluster, helm: Path) -> Desk:
    """A desk with ``kubectl``, ``helm`` and an admin's kubeconfig, whose context is called ``prod``."""
    kubeconfig = desk.folder / "kubeconfig"
    made = private_cluster.admin_kubeconfig.read_text()
    kubeconfig.write_text(
        made.replace('"current-context": "tests"', '"current-context": "prod"').replace(
            '"contexts": [{"name": "tests"', '"contexts": [{"name": "prod"'
        )
    )
    kubeconfig.chmod(0o600)
    desk.variables["KUBECONFIG"] = str(kubeconfig)
    desk.variables["HOME"] = str(desk.folder)
    desk.variables["PATH"] = f"{private_cluster.control_plane.binaries}:{helm.parent}:{desk.variables['PATH']}"
    return desk
