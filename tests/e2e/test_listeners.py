"""Listeners that no caller reaches: the gateway's status says which, and why, until that is mended."""

from __future__ import annotations

import socket
import subprocess
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.door import NETWORKING, PATH, Door
from tests.e2e.installation import WARDGATE, Installation

GATEWAY = "VirtualGateway"
STATUS_SECONDS = 60.0


@pytest.fixture
def door(cluster: Cluster) -> Door:
    return Door(cluster, policy=False)


def listen(door: Door, *ports: int) -> None:
    door.cluster.apply(
        {
            "apiVersion": NETWORKING,
            "kind": GATEWAY,
            "metadata": {"name": "door", "namespace": door.namespace},
            "spec": {"listeners": [{"http": {}, "port": {"number": port}} for port in ports]},
        }
    )


def condition(door: Door, name: str) -> tuple[str, str, str]:
    """Status, reason and message, about the newest generation."""
    found = door.cluster.get(GATEWAY, "door", namespace=door.namespace)
    for one in found.get("status", {}).get("conditions", ()):
        if one["type"] == name and one["observedGeneration"] == found["metadata"]["generation"]:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def service(installation: Installation, *ports: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{installation.release}-proxy", "namespace": installation.namespace},
        "spec": {"ports": [{"name": f"p{port}", "port": port} for port in ports]},
    }


def test_listener_whose_port_is_taken_is_told_until_it_is_free(installation: Installation, door: Door) -> None:
    installation.operator()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        proxy = installation.proxy("--port", f"8444={number}")
        installation.proxy("--port", "8444=0")
        listen(door, 8081, 8444)
        installation.wait_until(lambda: condition(door, "Programmed")[1] == "ListenerNotServed", "the gateway says so")
        status, _, message = condition(door, "Programmed")
        assert ("False", "False") == (status, condition(door, "Ready")[0])
        assert f"port 8444 is not served by 1 of 2 ready proxies: Port {number} of 127.0.0.1 is in use" in message
        name = f"{door.namespace}/door:8444"
        assert f'wardgate_listener_unserved{{listener="{name}"}} 1.0' in proxy.page("/metrics").body.decode()
        assert f"The listener on port 8444 is not served by 1 of 2 ready proxies: Port {number}" in _shown(installation)
        installation.everywhere(200, PATH)
    installation.wait_until(lambda: condition(door, "Programmed")[0] == "True", "it is served by now")
    assert "wardgate_listener_unserved{" not in proxy.page("/metrics").body.decode()


def test_listener_on_the_admin_port_is_refused_alone(installation: Installation, door: Door) -> None:
    installation.operator()
    installation.proxy()
    listen(door, 8081, 9901)

    installation.wait_until(lambda: condition(door, "Accepted")[0] == "False", "the gateway is INVALID")
    _, reason, message = condition(door, "Accepted")
    assert "PortConflict" == reason
    assert "spec.listeners[1].port.number" in message
    assert "is 9901, the port of the proxies' own admin endpoints; use another one." in message
    installation.everywhere(200, PATH)


def test_listener_that_the_service_does_not_offer_is_told_until_it_does(installation: Installation, door: Door) -> None:
    cluster = door.cluster
    cluster.apply(service(installation, 80, 8081))
    listen(door, 8081, 8082)
    installation.operator()
    for _ in range(2):
        installation.proxy("--port", "8082=0")

    told = "is 8082, which the proxies' Service does not offer to callers: it has 80, 8081."
    installation.wait_until(lambda: told in condition(door, "Accepted")[2], "the gateway has a warning")
    installation.wait_until(lambda: condition(door, "Programmed")[0] == "True", "it is served all the same")

    cluster.apply(service(installation, 80, 8081, 8082))
    installation.wait_until(lambda: told not in condition(door, "Accepted")[2], "the Service offers it")


def _shown(installation: Installation) -> str:
    command = [WARDGATE, "status", "--release", installation.release, "--namespace", installation.namespace]
    command += ["--kubeconfig", str(installation.cluster.admin_kubeconfig), "--output", "json"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=STATUS_SECONDS).stdout
