"""Rules for every test: how long it may take, the order of them, and the real Kubernetes API server.

A test that uses the API server is ``slow`` by that alone. Where several processes share the tests, each has an API
server of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings

from tests.cluster.binaries import control_plane_binaries, helm_binary, to_stderr
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane

StartCluster: TypeAlias = Callable[[], AbstractContextManager[Cluster]]

CLUSTER_FIXTURES = {"control_plane_folder", "helm"}

# How long an example takes says how busy the machine is.
settings.register_profile("wardgate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wardgate")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the API server, and put the files with slow tests first.

    Processes that share the tests take a file at a time. A long file that began last would be waited for alone.
    """
    for item in items:
        if CLUSTER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Tell something to whoever sits at the terminal, whatever pytest captures."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def speak(line: str) -> None:
        with capture.global_and_fixture_disabled():
            to_stderr(line)

    return speak


@pytest.fixture(scope="session")
def control_plane_folder(say: Callable[[str], None]) -> Path:
    """Where etcd, kube-apiserver and kubectl are, built if need be."""
    return control_plane_binaries(say=say)


@pytest.fixture(scope="session")
def helm(say: Callable[[str], None]) -> Path:
    """The real Helm, built if need be."""
    return helm_binary(say=say)


@pytest.fixture(scope="session")
def start_cluster(control_plane_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> StartCluster:
    """Start another API server, with our CRDs. The second and later ones begin with a copy of the first one's state.

    That is quicker, and an API server holds the first object of a kind back for two seconds when the CRD is new.
    """
    first: list[Path] = []

    @contextmanager
    def start() -> Iterator[Cluster]:
        plane = ControlPlane(tmp_path_factory.mktemp("control-plane"), control_plane_folder)
        if first:
            plane.begin_with(first[0])
        with plane, closing(Cluster(plane)) as admin:
            if first:
                admin.claim_endpoints()
            else:
                admin.install_crds()
            admin.wait_until_ready()
            first[:] = first or [plane.backup_etcd("first-state")]
            yield admin

    return start


@pytest.fixture(scope="session")
def control_plane(start_cluster: StartCluster) -> Iterator[ControlPlane]:
    """The session's API server. Tests use ``cluster``."""
    with start_cluster() as started:
        yield started.control_plane


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    """The session's API server; what the test creates is gone after it. Do not stop, freeze or restart this one."""
    with closing(Cluster(control_plane)) as admin:
        try:
            yield admin
        finally:
            admin.wipe()


@pytest.fixture
def private_cluster(start_cluster: StartCluster) -> Iterator[Cluster]:
    """An API server of the test's own, to stop, freeze, restart and roll back (three seconds to start)."""
    with start_cluster() as admin:
        yield admin


@pytest.fixture(scope="module")
def module_cluster(start_cluster: StartCluster) -> Iterator[Cluster]:
    """An API server for one module; the module's tests clean up after themselves."""
    with start_cluster() as admin:
        yield admin
