"""A config of several shards, and one that is too large: revocations go out, nothing opens, and owners are told."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.callers import Callers
from tests.e2e.door import HEADER, NETWORKING, PATH, Door
from tests.e2e.ending import kill_leader
from tests.e2e.installation import WARDGATE, Installation, Operator
from tests.e2e.published import PublishedConfig
from wardgate.kube.delivery.index import ShardRef

LIMIT = "1400KiB"
KEPT, REVOKED, LATER = "kept-key", "revoked-key", "later-key"
FLOOD = ("flood-one", "flood-two")
ROUTES, BODY = 100, 4096
"""Routes of a large table, and the bytes that each of them answers: 400 KiB together."""


@pytest.fixture
def door(cluster: Cluster) -> Door:
    made = Door(cluster)
    for key in (KEPT, REVOKED, LATER):
        made.key(key, key)
    return made


@pytest.fixture
def published(installation: Installation) -> PublishedConfig:
    return PublishedConfig(installation.cluster, release=installation.release, namespace=installation.config_namespace)


def large_table(door: Door, name: str) -> dict[str, Any]:
    """A table of many routes, that a gateway of ours serves."""
    routes = [
        {
            "name": f"r{number}",
            "matchers": [{"uri": {"prefix": f"/{name}/{number}"}}],
            "directResponse": {"status": 200, "body": f"{number:04}" * (BODY // 4)},
        }
        for number in range(ROUTES)
    ]
    spec = {"hosts": ["*"], "virtualGateways": [{"name": "door", "namespace": door.namespace}], "http": routes}
    metadata = {"name": name, "namespace": door.namespace}
    return {"apiVersion": NETWORKING, "kind": "RouteTable", "metadata": metadata, "spec": spec}


def conditions(door: Door, name: str) -> Mapping[str, Mapping[str, Any]]:
    found = door.cluster.get("RouteTable", name, namespace=door.namespace)
    return {
        one["type"]: one
        for one in found.get("status", {}).get("conditions", ())
        if one["observedGeneration"] == found["metadata"]["generation"]
    }


def waits(door: Door, name: str) -> bool:
    found = conditions(door, name)
    return "TooLarge" == found.get("Accepted", {}).get("reason") and "False" == found["Programmed"]["status"]


def parts(published: PublishedConfig) -> list[ShardRef]:
    return [one for one in published.index().shards if one.whole]


def start(installation: Installation) -> Operator:
    return installation.operator("--set", f"config_bytes={LIMIT}")


def test_revocation_goes_out_over_the_bound_and_routes_stay(
    installation: Installation, door: Door, published: PublishedConfig, tmp_path: Path
) -> None:
    door.cluster.apply([large_table(door, name) for name in ("one", "two")])
    operator, proxy = start(installation), installation.proxy()
    installation.everywhere(200, PATH, **{HEADER: KEPT})
    assert len(parts(published)) >= 2
    with Callers([proxy], {KEPT: 200, "": 401}):
        door.cluster.apply([large_table(door, name) for name in FLOOD])
        installation.wait_until(lambda: waits(door, FLOOD[-1]), "the last table is told")
        assert "True" == conditions(door, "one")["Accepted"]["status"]
        routes = published.index().hashes["routes"]
        door.revoke(REVOKED)
        installation.everywhere(401, PATH, **{HEADER: REVOKED})
        door.key("new", "new-key")
        installation.everywhere(200, PATH, **{HEADER: "new-key"})
        assert routes == published.index().hashes["routes"]

        lost = parts(published)[0].name
        published.delete(lost)
        installation.wait_until(lambda: lost not in {one.name for one in published.index().shards}, "it is repaired")
        assert published.whole().hashes["routes"] == routes

        kill_leader(installation, operator)
        operator = start(installation)
        door.revoke(LATER)
        installation.everywhere(401, PATH, **{HEADER: LATER})
        installation.wait_until(lambda: waits(door, FLOOD[-1]), "the next operator tells the same")
        assert routes == published.index().hashes["routes"]
        newcomer = installation.proxy()
        assert (200, 401) == (newcomer.status(PATH, **{HEADER: KEPT}), newcomer.status(PATH))

        assert f"RouteTable {door.namespace}/{FLOOD[-1]} waits: " in status_of(installation)
        assert "TooLarge" in {one["reason"] for one in door.cluster.list("Event", namespace=door.namespace)}
        for name in FLOOD[:-1]:
            door.cluster.delete("RouteTable", name, namespace=door.namespace)
        installation.everywhere(200, f"/{FLOOD[-1]}/7")
        installation.wait_until(
            lambda: conditions(door, FLOOD[-1])["Programmed"]["status"] == "True", "it is served and told so"
        )


def status_of(installation: Installation) -> str:
    """What ``wardgate status`` tells."""
    done = subprocess.run(
        [
            WARDGATE,
            "status",
            "--kubeconfig",
            str(installation.cluster.admin_kubeconfig),
            "-n",
            installation.namespace,
            "--release",
            installation.release,
            "--output",
            "json",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr
