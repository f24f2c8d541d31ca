"""Fixtures: an installation in the session's cluster, and the stand-in provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.conftest import StartCluster
from tests.e2e.estate import CALLER, TOKEN, tenant_identity
from tests.e2e.installation import Installation
from tests.e2e.two_tenants import Estate, found
from tests.examples.servers import Provider


@pytest.fixture
def installation(cluster: Cluster, helm: Path, tmp_path: Path) -> Iterator[Installation]:
    with Installation(cluster, Helm(helm), tmp_path) as installed:
        yield installed


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    started = Provider(tmp_path_factory.mktemp("provider"))
    with started.program:
        yield started


@pytest.fixture(scope="session")
def fragile_control_plane(start_cluster: StartCluster) -> Iterator[ControlPlane]:
    with start_cluster() as started:
        yield started.control_plane


@pytest.fixture
def fragile_cluster(fragile_control_plane: ControlPlane) -> Iterator[Cluster]:
    """An API server to stop, kill and freeze, shared by those who do; it runs again, and is empty, after each test."""
    with closing(Cluster(fragile_control_plane)) as admin:
        try:
            yield admin
        finally:
            fragile_control_plane.thaw()
            fragile_control_plane.start()
            admin.wipe()


@pytest.fixture
def fragile_installation(fragile_cluster: Cluster, helm: Path, tmp_path: Path) -> Iterator[Installation]:
    """An installation there."""
    with Installation(fragile_cluster, Helm(helm), tmp_path) as installed:
        yield installed


@pytest.fixture
def estate(cluster: Cluster, helm: Path, tmp_path: Path, provider: Provider) -> Iterator[Estate]:
    """Two tenants and the platform, being served."""
    platform, apps, evil = (cluster.namespace(name) for name in ("platform", "apps", "evil"))
    values = {"tenancy": "isolated", "platformNamespaces": [platform]}
    with Installation(cluster, Helm(helm), tmp_path, values) as installation:
        found(cluster, platform, apps, evil)
        installation.operator("--tenancy", "isolated", "--platform-namespace", platform)
        installation.proxy(provider=provider)
        installation.everywhere(200, "/apps/chat", **{"api-key": CALLER})
        assert [TOKEN] == provider.last_headers().get("authorization"), provider.received()[-3:]
        yield Estate(installation, provider, platform, apps, evil, tenant_identity(cluster, evil))
