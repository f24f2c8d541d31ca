"""``docs/install.md`` is followed with the real Helm and kubectl on a real API server.

Nothing in that cluster runs pods. So operator and proxy are processes of ours, with the identities that the chart made.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.documents.blocks import ROOT, Command, commands_of, name_of
from tests.documents.desk import GATEWAY, Desk, difference
from tests.documents.places import PLACES, Place
from tests.e2e.installation import Installation

PAGE = ROOT / "docs" / "install.md"
ROWS = list(zip(commands_of(PAGE), (place for _, place in PLACES[name_of(PAGE)]), strict=True))
WITH_CLUSTER = [command for command, place in ROWS if place is Place.CHART]
FIRST, *TRIES = WITH_CLUSTER[:6]
BESIDE_GLOO, *UPGRADE = WITH_CLUSTER[6:]


def follow(console: Desk, *commands: Command) -> None:
    wrong = [difference(console, command) for command in commands]
    assert not any(wrong), "\n".join(wrong)


def test_the_lab_is_served_once_the_page_was_followed(console: Desk, private_cluster: Cluster, tmp_path: Path) -> None:
    follow(console, FIRST)
    with Installation(private_cluster, None, tmp_path, release="wardgate", namespace="wardgate") as installation:
        installation.operator()
        first, _ = installation.proxy(), installation.proxy()
        console.ports[GATEWAY] = str(first.port)
        follow(console, *TRIES)


def test_what_needs_pods_names_what_is_there(console: Desk, private_cluster: Cluster) -> None:
    """The page's and the notes' own port-forward, and the Deployments that the notes wait for."""
    (forward,) = [command.text for command, place in ROWS if place is Place.NO_PODS]
    notes = console.run(FIRST.text).stdout.replace("\\\n", " ")
    (wait,) = re.findall(r"kubectl .* wait .*", notes)
    listings = re.findall(r"kubectl get .*", notes)

    assert [0, 0] == [console.run(listing).returncode for listing in listings]
    for deployment in re.findall(r"deployment/(\S+)", wait):
        private_cluster.get("Deployment", deployment, namespace="wardgate")
    assert "port-forward service/wardgate-proxy 18080:80\n" in notes

    service = private_cluster.get("Service", "wardgate-proxy", namespace="wardgate")

    assert forward == "kubectl -n wardgate port-forward service/wardgate-proxy 8081:8081"
    assert {80, 8081} <= {port["port"] for port in service["spec"]["ports"]}


def test_a_release_beside_gloo_is_upgraded(console: Desk, private_cluster: Cluster) -> None:
    follow(console, BESIDE_GLOO, *UPGRADE)

    deployment = private_cluster.get("Deployment", "wardgate-operator", namespace="wardgate")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "--status=off" in container["args"]
