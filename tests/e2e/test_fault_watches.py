"""Watches that break, stand still or are told that they come too late, at the operator and at a proxy.

What happened meanwhile counts as soon as the other side can be asked again; where nothing says that a connection is
dead, its silence does. Its limit is set to seconds here: by default it is 75 of them at the operator, 45 at a proxy.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.link import Link
from tests.e2e.callers import ACCEPTED, REFUSED, Callers
from tests.e2e.door import Door
from tests.e2e.installation import Installation, Operator

SILENCE = 3.0
QUICK = ("--set", f"watch_silence={SILENCE:g}")
AFTER_SILENCE = 30.0
"""Seconds from the limit of a silence to the end of what it hid. A request on a connection that was kept from before
the fault is given up after 15 s, and a loaded machine needs more. With the default limits nothing is kept for so long,
and 90 s hold (invariant 5)."""
BACK = 20.0
LISTED_SECONDS = 10.0
"""Seconds for what happened while the way to the API server was closed, from its opening on."""
KEYS = ("kept", "revoked", "unlabelled")
BESIDE = "/beside"


class Watched:
    """An operator behind a link and two proxies that are not, a door with keys, and a route that goes away."""

    def __init__(self, cluster: Cluster, installation: Installation, *flags: str) -> None:
        self.installation = installation
        self.door = Door(cluster)
        for name in KEYS:
            self.door.key(name, name)
        self._beside = Door(cluster, policy=False, path=BESIDE, beside=self.door)
        self.link = cluster.link()
        self.operator: Operator = installation.operator(*flags, link=self.link)
        for _ in range(2):
            installation.proxy()
        installation.everywhere(ACCEPTED, BESIDE)

    def change(self) -> None:
        """Delete one key's Secret, take another one's label, and delete a RouteTable."""
        self.door.revoke("revoked")
        self.door.unlabel("unlabelled")
        self._beside.cluster.delete("RouteTable", "door", namespace=self._beside.namespace)

    def run(self, fault: Callable[[], None], end: Callable[[], None], *, within: float, why: str) -> None:
        """Change what there is while the operator cannot see it, then see it come true; callers ask all the time."""
        with Callers(self.installation.proxies, dict.fromkeys(KEYS, ACCEPTED)) as callers:
            callers.rounds(20)
            fault()
            changes = [callers.turn(key, REFUSED) for key in KEYS[1:]]
            self.change()
            callers.rounds(50)
            assert [{}, {}] == [change.seen for change in changes], "the operator was to see nothing of it"
            end()
            callers.must(*changes, within=within, why=why)
            self.installation.everywhere(404, BESIDE)
            callers.rounds(50)
        assert self.operator.program.is_running


def test_revocations_during_a_cut_count_after_it(cluster: Cluster, installation: Installation) -> None:
    watched = Watched(cluster, installation)

    def restore() -> None:
        failures = watched.operator.metric("wardgate_operator_api_errors_total")
        installation.wait_until(
            lambda: watched.operator.metric("wardgate_operator_api_errors_total") > failures + 5,
            "the operator tried again and again",
        )
        watched.link.restore()

    watched.run(watched.link.cut, restore, within=BACK, why="Keys revoked while the operator's link was cut")


def test_revocations_that_broke_off_with_a_watch_count(cluster: Cluster, installation: Installation) -> None:
    """Their events are lost in connections that are reset; the next watch goes on from before them."""
    watched = Watched(cluster, installation)
    link = watched.link
    watched.run(
        link.freeze_connections, lambda: _reset(link), within=1.0, why="Keys revoked as the operator's watches broke"
    )


def test_revocations_that_a_watch_is_too_late_for_count(
    fragile_cluster: Cluster, fragile_installation: Installation
) -> None:
    """The watch ends in order with its API server, and goes on at one that has forgotten what was before it (410).

    One that is not done with starting may say so first (429). Either way there is a list.
    """
    watched = Watched(fragile_cluster, fragile_installation)
    plane: ControlPlane = fragile_cluster.control_plane

    def fault() -> None:
        watched.link.freeze_connections()
        plane.restart()

    watched.run(fault, watched.link.restore, within=BACK, why="Keys revoked before watches met a new API server")
    watched.operator.program.wait_for("A list of secrets", "no event had", seconds=LISTED_SECONDS)


def test_revocations_behind_frozen_watches_count_after_their_silence(
    cluster: Cluster, installation: Installation
) -> None:
    """The connections that stood still never move again."""
    watched = Watched(cluster, installation, *QUICK)
    watched.run(
        watched.link.freeze_connections,
        lambda: None,
        within=SILENCE + AFTER_SILENCE,
        why=f"Keys revoked behind frozen watches, with a silence of {SILENCE:g} s",
    )


def test_revocations_during_a_standstill_of_the_network_count_after_it(
    cluster: Cluster, installation: Installation
) -> None:
    watched = Watched(cluster, installation, *QUICK)

    def restore() -> None:
        installation.wait_until(
            lambda: watched.operator.metric("wardgate_operator_leader") == 0.0, "the leader cannot renew its Lease"
        )
        watched.link.restore()

    watched.run(watched.link.freeze, restore, within=BACK, why="Keys revoked while the operator's network stood still")


@pytest.mark.parametrize(
    ("fault", "end", "within"),
    [
        pytest.param(Link.cut, Link.restore, BACK, id="cut"),
        pytest.param(Link.freeze, Link.restore, BACK, id="stalled"),
        pytest.param(Link.freeze_connections, lambda _: None, SILENCE + AFTER_SILENCE, id="frozen"),
    ],
)
def test_proxy_that_is_cut_off_serves_what_it_has_and_catches_up(
    cluster: Cluster,
    installation: Installation,
    fault: Callable[[Link], None],
    end: Callable[[Link], None],
    within: float,
) -> None:
    door, link = Door(cluster), cluster.link()
    for name in KEYS:
        door.key(name, name)
    installation.operator()
    connected, lost = installation.proxy(), installation.proxy(*QUICK, link=link)
    expected = dict.fromkeys(KEYS, ACCEPTED)
    with Callers([connected], expected) as near, Callers([lost], expected) as far:
        for callers in (near, far):
            callers.rounds(20)
        fault(link)
        changes = [(near.turn(key, REFUSED), far.turn(key, REFUSED)) for key in KEYS[1:]]
        door.revoke("revoked")
        door.unlabel("unlabelled")
        near.must(*(change for change, _ in changes), within=1.0, why="Keys revoked, at the proxy that is connected")
        far.rounds(50)
        assert [{}, {}] == [change.seen for _, change in changes], "the other proxy was to see nothing of it"

        end(link)
        far.must(
            *(change for _, change in changes), within=within, why=f"The same, at a proxy that was {fault.__name__}"
        )
        far.rounds(50)


def _reset(link: Link) -> None:
    link.kill_connections()
    link.restore()
