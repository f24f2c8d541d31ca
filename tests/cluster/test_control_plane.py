"""The API server of the tests is a real one, can be hurt as the fault tests need it, and leaves no process behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.daemon import Daemon, DaemonError
from tests.cluster.http_api import ApiError
from tests.cluster.waiting import wait_until

pytestmark = pytest.mark.slow

SECONDS = 10.0


@pytest.fixture
def plane(module_cluster: Cluster) -> Iterator[ControlPlane]:
    """The module's own control plane, in order again after the test."""
    yield module_cluster.control_plane
    module_cluster.control_plane.thaw()
    module_cluster.control_plane.start()


@pytest.fixture
def admin(plane: ControlPlane, module_cluster: Cluster) -> Cluster:
    return module_cluster


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_versions_are_those_of_the_module(admin: Cluster) -> None:
    assert admin.http.request("GET", "/version")["gitVersion"].startswith("v1.")
    assert "v1." in admin.kubectl("version").stdout


def test_objects_survive_a_restart_at_the_same_address(plane: ControlPlane, admin: Cluster) -> None:
    admin.create(_config_map("survivor", a="b"), namespace="default")
    url, first = plane.url, plane.api_server.pid
    plane.restart()

    assert (url, {"a": "b"}) == (plane.url, admin.get("ConfigMap", "survivor", namespace="default")["data"])
    assert first != plane.api_server.pid


def test_stopped_server_refuses_connections(plane: ControlPlane, admin: Cluster) -> None:
    plane.stop()

    with pytest.raises(ConnectionRefusedError):
        admin.http.request("GET", "/version")


def test_stop_ends_watches_in_order(plane: ControlPlane, admin: Cluster) -> None:
    events = admin.http.stream("/api/v1/configmaps", query={"watch": "1"})
    assert next(events)["type"] == "ADDED"
    plane.stop()

    assert not _is_alive(plane.api_server.pid)
    assert {"ADDED"} >= {event["type"] for event in events}


def test_killed_server_breaks_connections_and_comes_back(plane: ControlPlane, admin: Cluster) -> None:
    plane.kill()
    with pytest.raises(OSError, match=r"refused|reset|broke"):
        admin.http.request("GET", "/version")
    plane.start()

    assert admin.http.request("GET", "/version")["major"] == "1"


def test_frozen_server_answers_when_thawed(plane: ControlPlane, admin: Cluster) -> None:
    answers: list[Any] = []
    plane.freeze()
    asking = threading.Thread(target=lambda: answers.append(admin.get("Namespace", "default")))
    asking.start()
    asking.join(0.3)
    while_frozen = list(answers)
    plane.thaw()
    asking.join(SECONDS)

    assert ([], "default") == (while_frozen, answers[0]["metadata"]["name"])


def test_restarted_server_refuses_watches_from_before(plane: ControlPlane, admin: Cluster) -> None:
    """What a client must survive: its resource version is too old for the new watch cache."""
    before = admin.create(_config_map("old"), namespace="default")["metadata"]["resourceVersion"]
    admin.create(_config_map("new"), namespace="default")
    plane.restart()
    watching = {"watch": "1", "resourceVersion": before}
    event = next(admin.http.stream("/api/v1/namespaces/default/configmaps", query=watching))

    assert ("ERROR", 410) == (event["type"], event["object"]["code"])


def test_restored_backup_brings_history_back(plane: ControlPlane, admin: Cluster) -> None:
    kept = admin.create(_config_map("in-backup"), namespace="default")
    backup = plane.backup_etcd()
    admin.create(_config_map("after-backup"), namespace="default")
    plane.restore_etcd(backup)
    again = admin.create(_config_map("after-backup"), namespace="default")

    assert kept["metadata"]["uid"] == admin.get("ConfigMap", "in-backup", namespace="default")["metadata"]["uid"]
    assert int(again["metadata"]["resourceVersion"]) < int(kept["metadata"]["resourceVersion"]) + 1000


def test_backup_disturbs_no_watch(plane: ControlPlane, admin: Cluster) -> None:
    events = admin.http.stream("/api/v1/configmaps", query={"watch": "1"})
    next(events)
    plane.backup_etcd("undisturbed")
    admin.create(_config_map("after-copy"), namespace="default")

    assert "after-copy" in (event["object"]["metadata"]["name"] for event in events)


def test_audit_log_tells_who_but_holds_no_secret(admin: Cluster) -> None:
    mark = admin.audit_mark()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "hunter-2"}}
    admin.create(secret, namespace="default")
    written = admin.audit(since=mark, user="admin", verb="create", resource="secrets")

    assert [("default", "s", 201)] == [(event.namespace, event.name, event.code) for event in written]
    content = admin.control_plane.audit_log.read_text(encoding="utf-8")
    assert [] == [word for word in ("hunter-2", "aHVudGVyLTI", "requestObject", "responseObject") if word in content]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's memory in a file")
def test_memory_is_told(plane: ControlPlane) -> None:
    sizes = {daemon.log.name: daemon.resident_kib() // 1024 for daemon in (plane.etcd, plane.api_server)}
    print(f"resident MiB: {sizes}")

    assert all(0 < size < 1024 for size in sizes.values())


def test_failed_start_shows_the_log(tmp_path: Path, plane: ControlPlane) -> None:
    broken = ControlPlane(tmp_path / "broken", plane.binaries)
    broken.credentials.token_file.write_text("not,enough\n", encoding="ascii")
    try:
        with pytest.raises(DaemonError, match=r"(?s)kube-apiserver ended while the control plane started.*token"):
            broken.start()
    finally:
        broken.close()


def test_closed_plane_leaves_no_process(tmp_path: Path, plane: ControlPlane) -> None:
    with ControlPlane(tmp_path / "short", plane.binaries) as short:
        pids = [short.etcd.pid, short.api_server.pid]
        assert all(map(_is_alive, pids))

    assert not any(map(_is_alive, pids))


def test_servers_end_when_the_tests_are_killed(tmp_path: Path) -> None:
    """The guard alone ends the process: the pipe that it waits at closes when its owner dies."""
    daemon = Daemon("sleep", "1000", log=tmp_path / "log")
    assert daemon._guard.stdin is not None
    daemon._guard.stdin.close()
    try:
        wait_until(lambda: not daemon.is_running, seconds=SECONDS, what="the guard ended it")
    finally:
        daemon.kill()


def test_servers_outlive_a_stop_of_others(plane: ControlPlane, admin: Cluster) -> None:
    assert plane.etcd.is_running
    assert plane.api_server.is_running
    with pytest.raises(ApiError, match="not found"):
        admin.get("ConfigMap", "none", namespace="default")
