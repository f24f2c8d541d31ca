"""Rules for every test: how long it may take, the order of them, what is measured, and the real Kubernetes API server.

A test that uses the API server is ``slow`` by that alone. Where several processes share the tests, each has an API
server of its own. Of slow tests only those that are marked ``measured`` count for the coverage: tracing costs a third
of their time, and their processes run much the same lines.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
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
MEASURED_PROCESSES = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""Variables by which coverage measures the processes that a test starts."""

LAST_SLOW = 0.85
"""How much of all files have begun when the last slow one begins."""

# How long an example takes says how busy the machine is.
settings.register_profile("wardgate", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("wardgate")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the API server and what is not measured, and put the files in order (``_turns``)."""
    for item in items:
        if CLUSTER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
        if item.get_closest_marker("slow") is not None and item.get_closest_marker("measured") is None:
            item.add_marker("no_cover")
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}
    turns = _turns(list(dict.fromkeys(item.path for item in items)), slow)
    items.sort(key=lambda item: turns[item.path])


def _turns(files: Sequence[Path], slow: Collection[Path]) -> dict[Path, float]:
    """Say when each file has its turn, from 0 to 1.

    Processes that share the tests take a file at a time. Slow tests wait half of their time, so quick ones run between
    them. A long file that began last would be waited for alone, so the last files are quick.
    """
    waiting, quick = [path for path in files if path in slow], [path for path in files if path not in slow]
    return {path: LAST_SLOW * turn / len(waiting) for turn, path in enumerate(waiting)} | {
        path: turn / len(quick) for turn, path in enumerate(quick)
    }


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector: twelve thousand tests stay until the end, and are no garbage later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Leave the processes of a test unmeasured that is not measured itself (``no_cover``), its fixtures' ones too."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    kept = {name: os.environ.pop(name) for name in MEASURED_PROCESSES if name in os.environ}
    try:
        return (yield)
    finally:
        os.environ.update(kept)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Take the tracer out for a test with ``no_cover``. pytest-cov pauses one of two that a process of xdist has."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


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
