"""The owner of a policy is told of a mistake where people look: in the condition's reason, in Events, in columns."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.e2e.door import HEADER, PATH, POLICY, Door
from tests.e2e.installation import Installation


def _events(door: Door, kind: str = POLICY) -> list[tuple[str, str, str]]:
    """Type, reason and note of the Events about the objects of a kind, the oldest first."""
    found: list[dict[str, Any]] = door.cluster.list("events.events.k8s.io", namespace=door.namespace)
    ours = sorted((one for one in found if one["regarding"]["kind"] == kind), key=lambda one: str(one["eventTime"]))
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


def test_open_route_whose_label_is_misspelt_is_told_to_its_table(cluster: Cluster, installation: Installation) -> None:
    door = Door(cluster)
    door.key("key", "k")
    installation.operator()
    installation.proxy()
    installation.everywhere(401, PATH)
    (route,) = cluster.get("RouteTable", "door", namespace=door.namespace)["spec"]["http"]

    misspelt = {**route, "labels": {"dor": door.namespace}}
    cluster.patch("RouteTable", "door", {"spec": {"http": [misspelt]}}, namespace=door.namespace)
    installation.everywhere(200, PATH)
    installation.wait_until(
        lambda: ("Warning", "Unguarded") in [one[:2] for one in _events(door, "RouteTable")], "an Event tells it"
    )
    state = _state(cluster, "RouteTable", door)
    assert "WARNING" == state["approval"]
    assert f'Route "door" of RouteTable {door.namespace}/door is open' in state["message"]
    assert f"ExtAuthPolicy {door.namespace}/door selects door={door.namespace}" in state["message"]


def test_key_without_its_token_is_named_and_the_misspelt_variable_too(
    cluster: Cluster, installation: Installation
) -> None:
    door = Door(cluster)
    door.key("whole", "w", "t")
    door.key("lacking", "l")
    cluster.apply(_transformation(door, "Bearer {{ token }}"))
    installation.operator()
    installation.proxy()
    installation.everywhere(200, PATH, **{HEADER: "w"})
    installation.everywhere(403, PATH, **{HEADER: "l"})

    installation.wait_until(lambda: door.condition("Accepted").get("reason") == "BadSecret", "the policy is told")
    message = door.condition("Accepted")["message"]
    assert f"Secret {door.namespace}/lacking has no entry" in message
    assert "every request with its key is refused (403)" in message
    assert "whole" not in message
    installation.wait_until(lambda: _events(door)[-1:] and _events(door)[-1][1] == "BadSecret", "an Event names it")

    cluster.apply(_transformation(door, "Bearer {{ tokn }}"))
    installation.everywhere(400, PATH, **{HEADER: "w"})
    installation.wait_until(
        lambda: _state(cluster, "TransformationPolicy", door).get("approval") == "WARNING", "the template is told"
    )
    assert "Did you mean token?" in _state(cluster, "TransformationPolicy", door)["message"]


def _transformation(door: Door, text: str) -> dict[str, Any]:
    """Make a credential of the token that the key's Secret holds."""
    template = {
        "headers": {"authorization": {"text": text}},
        "extractors": {"token": {"header": "x-provider", "regex": ".*"}},
    }
    return {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": "door", "namespace": door.namespace},
        "spec": {
            "applyToRoutes": [{"route": {"labels": door.labels}}],
            "config": {"request": {"injaTemplate": template}},
        },
    }


def test_key_that_opens_nothing_is_told_by_an_event_and_in_the_overview(
    cluster: Cluster, installation: Installation
) -> None:
    door = Door(cluster)
    door.key("good", "g")
    door.key("stray", "s")
    door.unlabel("stray")
    door.key("rejected", "")
    installation.operator()
    installation.proxy()
    installation.everywhere(200, PATH, **{HEADER: "g"})
    installation.wait_until(lambda: len(_events(door, "Secret")) == 2, "both Secrets have an Event")

    text = _overview(installation)
    keys = {key["name"]: key for key in json.loads(text)["keys"] if key["namespace"] == door.namespace}
    assert {("Warning", "UnusedKey"), ("Warning", "BadSecret")} == {one[:2] for one in _events(door, "Secret")}
    assert {"good": ([], False), "rejected": (["BadSecret"], False), "stray": ([], True)} == {
        name: (key["faults"], key["unused"]) for name, key in keys.items()
    }
    assert f"no ExtAuthPolicy selects Secret {door.namespace}/stray" in text

    door.key("stray", "s")
    installation.everywhere(200, PATH, **{HEADER: "s"})
    installation.wait_until(lambda: len(_events(door, "Secret")) == 3, "its end is told")
    assert f"UnusedKey is resolved. Secret {door.namespace}/stray is accepted." == _events(door, "Secret")[-1][2]


def _overview(installation: Installation) -> str:
    """``wardgate status`` for programs, by somebody who may read everything."""
    place = ("--release", installation.release, "-n", installation.namespace)
    kubeconfig = str(installation.cluster.admin_kubeconfig)
    command = [*installation.wardgate, "status", *place, "--kubeconfig", kubeconfig, "--output", "json"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


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
        installation.wait_until(
            lambda: _state(cluster, "VirtualGateway", door).get("approval") == "INVALID", "the gateway is judged"
        )
        state = _state(cluster, "VirtualGateway", door)

    assert (
        f"needs Secret {door.namespace}/cert, which may not be read; add namespace {door.namespace} to the "
        "installation's keyNamespaces, or move the Secret."
    ) in state["message"]


def _state(cluster: Cluster, kind: str, door: Door) -> dict[str, Any]:
    """Gloo's envelope of a verdict; empty while there is none."""
    found = cluster.get(kind, "door", namespace=door.namespace)
    state: dict[str, Any] = found.get("status", {}).get("common", {}).get("State", {})
    return state
