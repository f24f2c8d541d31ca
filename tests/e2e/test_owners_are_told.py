"""The owner of a policy is told of a mistake where people look: in the condition's reason, in Events, in columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.e2e.door import HEADER, PATH, POLICY, Door
from tests.e2e.installation import Installation


def _events(door: Door) -> list[tuple[str, str, str]]:
    """Type, reason and note of the policy's Events, the oldest first."""
    found: list[dict[str, Any]] = door.cluster.list("events.events.k8s.io", namespace=door.namespace)
    ours = sorted((one for one in found if one["regarding"]["kind"] == POLICY), key=lambda one: str(one["eventTime"]))
    return [(one["type"], one["reason"], one["note"]) for one in ours]


def test_misspelt_label_is_a_reason_and_a_warning_event_until_it_is_mended(
    cluster: Cluster, installation: Installation
) -> None:
    door = Door(cluster)
    door.key("key", "k")
    installation.operator()
    for _ in range(2):
        installation.proxy()
    installation.everywhere(401, PATH)
    installation.wait_until(lambda: door.condition("Ready").get("reason") == "Ready", "it is ready")
    meant = door.policy()["spec"]["applyToRoutes"]

    cluster.patch(
        POLICY,
        "door",
        {"spec": {"applyToRoutes": [{"route": {"labels": {"door": "typo"}}}]}},
        namespace=door.namespace,
    )
    installation.wait_until(lambda: door.condition("Ready").get("reason") == "NoRoutes", "the reason is told")
    ready = door.condition("Ready")
    assert "True" == ready["status"]
    assert "routes meant for it are open" in ready["message"]
    assert "NoRoutes" in cluster.kubectl("get", "extauthpolicies", "-n", door.namespace).stdout
    installation.wait_until(lambda: len(_events(door)) == 2, "an Event tells it")
    assert ("Warning", "NoRoutes") == _events(door)[-1][:2]

    cluster.patch(POLICY, "door", {"spec": {"applyToRoutes": meant}}, namespace=door.namespace)
    installation.wait_until(lambda: door.condition("Ready").get("reason") == "Ready", "the reason is gone")
    installation.wait_until(lambda: len(_events(door)) == 3, "an Event tells that it is resolved")
    kind, reason, note = _events(door)[-1]
    assert ("Normal", "Accepted") == (kind, reason)
    assert note.startswith("NoRoutes is resolved.")
    installation.everywhere(200, PATH, **{HEADER: "k"})


def test_certificate_that_may_not_be_read_is_not_called_missing(cluster: Cluster, helm: Path, tmp_path: Path) -> None:
    keys = cluster.namespace("keys")
    with Installation(cluster, Helm(helm), tmp_path, {"keyNamespaces": [keys]}) as installation:
        installation.require("operator", "list", keys)
        door = Door(cluster)
        tls = {"mode": "SIMPLE", "secretName": "cert"}
        listeners = [{"http": {}, "port": {"number": 8081}, "tls": tls}]
        cluster.patch("VirtualGateway", "door", {"spec": {"listeners": listeners}}, namespace=door.namespace)
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "cert", "namespace": door.namespace},
                "type": "kubernetes.io/tls",
                "data": {"tls.crt": "", "tls.key": ""},
            }
        )
        installation.operator("--key-namespace", keys)
        state = installation.wait_until(lambda: _state(cluster, "VirtualGateway", door), "the gateway is judged")

    assert "INVALID" == state["approval"]
    assert (
        f"needs Secret {door.namespace}/cert, which may not be read; add namespace {door.namespace} to the "
        "installation's keyNamespaces, or move the Secret."
    ) in state["message"]


def _state(cluster: Cluster, kind: str, door: Door) -> dict[str, Any]:
    """Gloo's envelope of a verdict; empty while there is none."""
    found = cluster.get(kind, "door", namespace=door.namespace)
    state: dict[str, Any] = found.get("status", {}).get("common", {}).get("State", {})
    return state
