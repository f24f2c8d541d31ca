"""The leader dies, in order or not: another replica writes soon, and what it writes is what is true."""

from __future__ import annotations

import signal
import time

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.callers import ACCEPTED, REFUSED, Callers
from tests.e2e.door import Door
from tests.e2e.installation import Installation, Operator

EXIT_SECONDS = 5.0
"""A second is promised; a loaded machine may need more."""
DEATH, RESIGNATION = 20.0, 8.0
"""Seconds until another replica writes: invariant 5, and less than a Lease lasts that was not set free."""
BOTH = 30.0
"""After two faults at once: a follower whose requests stood still sees its leader's last sign some seconds late."""
KEYS = ("kept", "revoked")


@pytest.fixture
def door(cluster: Cluster) -> Door:
    door = Door(cluster)
    for name in KEYS:
        door.key(name, name)
    return door


@pytest.fixture
def leader(installation: Installation, door: Door) -> Operator:
    """The replica that leads, with two proxies that serve what it wrote."""
    started = installation.operator(identity="leader")
    for _ in range(2):
        installation.proxy()
    return started


@pytest.mark.parametrize(("end", "bound"), [(signal.SIGKILL, DEATH), (signal.SIGTERM, RESIGNATION)])
def test_another_replica_writes_soon_after_the_leader_s_end(
    installation: Installation, door: Door, leader: Operator, end: signal.Signals, bound: float
) -> None:
    follower = installation.operator(identity="follower")
    installation.wait_until(lambda: holds_keys(follower, 2), "the follower knows the keys")
    with Callers(installation.proxies, dict.fromkeys(KEYS, ACCEPTED)) as callers:
        callers.rounds(20)

        revoked, added = callers.turn("revoked", REFUSED), callers.turn("added", ACCEPTED)
        ended = time.monotonic()
        leader.program.send(end)
        assert (0 if end == signal.SIGTERM else -end) == leader.program.wait(seconds=EXIT_SECONDS)
        door.revoke("revoked")
        door.key("added", "added")
        callers.must(revoked, added, within=bound, since=ended, why=f"Keys changed as the leader got {end.name}")

        callers.rounds(20)
    assert "follower" == writer(installation)


def test_new_leader_whose_watches_were_frozen_publishes_no_revoked_key(
    cluster: Cluster, installation: Installation, door: Door, leader: Operator
) -> None:
    link, beside = cluster.link(), Door(cluster, policy=False, path="/beside", beside=door)
    installation.everywhere(200, "/beside")
    follower = installation.operator(identity="follower", link=link)
    installation.wait_until(lambda: holds_keys(follower, 2), "the follower knows the keys")
    with Callers(installation.proxies, dict.fromkeys(KEYS, ACCEPTED)) as callers:
        callers.rounds(20)
        link.freeze_connections()

        revoked = callers.turn("revoked", REFUSED)
        door.revoke("revoked")
        callers.must(revoked, within=1.0, why="A key deleted while a follower's watches were frozen")
        cluster.delete("RouteTable", "door", namespace=beside.namespace)
        installation.everywhere(404, "/beside")
        assert holds_keys(follower, 2), "the follower was to know nothing of it"

        added = callers.turn("added", ACCEPTED)
        ended = time.monotonic()
        leader.program.send(signal.SIGKILL)
        door.key("added", "added")
        callers.must(
            added, within=BOTH, since=ended, why="A key changed as the leader died and the follower was frozen"
        )
        callers.rounds(100)
        assert [404, 404] == [proxy.status("/beside") for proxy in installation.proxies]
    assert "follower" == writer(installation)


def holds_keys(operator: Operator, count: int) -> bool:
    """Whether a replica has listed everything and holds so many key Secrets."""
    return (
        operator.page("/readyz").status == 200 and operator.metric("wardgate_operator_objects", kind="Secret") == count
    )


def writer(installation: Installation) -> str:
    """Who wrote the index last."""
    return str(installation.index()["writer"]).partition(" ")[0]
