"""etcd goes back to a backup under a running installation: what the backup says is true, nothing of what came later.

Resource versions are given out a second time then, while the sequence of what is published only ever grows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.link import Link
from tests.e2e.callers import ACCEPTED, REFUSED, Callers
from tests.e2e.door import Door
from tests.e2e.installation import Installation

BOUND = 20.0
"""From the moment when the API server answers again: nobody led for a while (invariant 5)."""
ATTEMPTS = 3
AHEAD = 200
"""Versions between the backup and a change: an API server that starts writes some of its own."""


class Restored:
    """An installation on an API server that is restored while proxies are connected."""

    def __init__(self, cluster: Cluster, helm: Path, folder: Path) -> None:
        self.cluster = cluster
        self.plane: ControlPlane = cluster.control_plane
        self.installation = Installation(cluster, Helm(helm), folder)
        self.door = Door(cluster)

    def start(self, *keys: str, link: Link | None = None) -> None:
        """Start an operator and two proxies; each key's Secret has its name."""
        for key in keys:
            self.door.key(key, key)
        self.installation.operator(link=link)
        for _ in range(2):
            self.installation.proxy()

    def touch(self) -> int:
        """Write something that is nobody's business; give its version."""
        note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "note-"}}
        return int(self.cluster.create(note, namespace=self.door.namespace)["metadata"]["resourceVersion"])

    def version(self, secret: str) -> int:
        """The version of a key's Secret."""
        found = self.cluster.get("Secret", secret, namespace=self.door.namespace)
        return int(found["metadata"]["resourceVersion"])


@pytest.fixture
def restored(private_cluster: Cluster, helm: Path, tmp_path: Path) -> Restored:
    return Restored(private_cluster, helm, tmp_path)


def test_restored_backup_is_what_counts(restored: Restored) -> None:
    installation, door = restored.installation, restored.door
    with installation:
        gone_later = Door(restored.cluster, policy=False, path="/gone-later", beside=door)
        restored.start("kept", "revoked-later", "changed-later")
        expected = dict.fromkeys(("kept", "revoked-later", "changed-later"), ACCEPTED)
        with Callers(installation.proxies, expected) as callers:
            callers.rounds(20)
            backup = restored.plane.backup_etcd()

            since = [
                callers.turn("revoked-later", REFUSED),
                callers.turn("changed-later", REFUSED),
                callers.turn("new-value", ACCEPTED),
                callers.turn("added-later", ACCEPTED),
            ]
            door.revoke("revoked-later")
            door.key("changed-later", "new-value")
            door.key("added-later", "added-later")
            callers.must(*since, within=1.0, why="Keys changed after a backup")
            Door(restored.cluster, policy=False, path="/added-later", beside=door)
            restored.cluster.delete("RouteTable", "door", namespace=gone_later.namespace)
            installation.everywhere(ACCEPTED, "/added-later")
            installation.everywhere(404, "/gone-later")
            before = installation.index()["sequence"]

            back = [
                callers.turn("revoked-later", ACCEPTED),
                callers.turn("changed-later", ACCEPTED),
                callers.turn("new-value", REFUSED),
                callers.turn("added-later", REFUSED),
            ]
            restored.plane.restore_etcd(backup)
            callers.must(*back, within=BOUND, why="Keys as they are in a restored backup")
            installation.everywhere(404, "/added-later")
            installation.everywhere(ACCEPTED, "/gone-later")

            added = callers.turn("added-after", ACCEPTED)
            door.key("added-after", "added-after")
            callers.must(added, within=1.0, why="A key added after the restoration")
        sequence = installation.index()["sequence"]
        assert before < sequence
        assert [sequence, sequence] == [proxy.revision()["sequence"] for proxy in installation.proxies]


def test_version_that_is_given_again_to_another_content_is_not_taken_for_the_same(restored: Restored) -> None:
    """The operator is cut off until the restored cluster has passed the newest version that it had seen."""
    installation, door = restored.installation, restored.door
    link = restored.cluster.link()
    with installation:
        restored.start("kept", "first", link=link)
        with Callers(installation.proxies, {"kept": ACCEPTED, "first": ACCEPTED}) as callers:
            callers.rounds(20)
            backup = restored.plane.backup_etcd()

            for _ in range(AHEAD):
                restored.touch()
            changes = [callers.turn("first", REFUSED), callers.turn("second", ACCEPTED)]
            door.key("first", "second")
            callers.must(*changes, within=1.0, why="A key changed after a backup")
            version = restored.version("first")
            link.cut()
            newest = restored.touch()

            changes = [callers.turn("second", REFUSED), callers.turn("third", ACCEPTED)]
            change_at_version(restored, backup, version)
            while restored.touch() <= newest:
                pass
            callers.rounds(50)
            link.restore()
            callers.must(*changes, within=BOUND, why="A key changed at a version that had been given before")


def change_at_version(restored: Restored, backup: Path, version: int) -> None:
    """Restore the backup, and give the Secret ``first`` its third key exactly at a version."""
    for _ in range(ATTEMPTS):
        restored.plane.restore_etcd(backup)
        while restored.touch() < version - 1:
            pass
        restored.door.key("first", "third")
        if restored.version("first") == version:
            return
    pytest.fail("The API server wrote something itself just then, each time.")
