"""The API server is away for a while: what is served stays, the operator waits, and what changes after it counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.e2e.callers import ACCEPTED, REFUSED, Callers
from tests.e2e.door import Door
from tests.e2e.installation import Installation

BOUND = 20.0
"""Of a change after a fault in which nobody led for a while (invariant 5)."""
KEYS = ("kept", "revoked", "unlabelled")


@pytest.mark.parametrize(
    ("leave", "come_back"),
    [
        pytest.param(ControlPlane.stop, ControlPlane.start, id="stopped"),
        pytest.param(ControlPlane.freeze, ControlPlane.thaw, id="frozen"),
    ],
)
def test_config_is_served_without_the_api_server_and_changes_count_after_it(
    fragile_cluster: Cluster,
    fragile_installation: Installation,
    leave: Callable[[ControlPlane], None],
    come_back: Callable[[ControlPlane], None],
) -> None:
    installation, plane = fragile_installation, fragile_cluster.control_plane
    door = Door(fragile_cluster)
    for name in KEYS:
        door.key(name, name)
    operator = installation.operator()
    for _ in range(2):
        installation.proxy()
    with Callers(installation.proxies, dict.fromkeys(KEYS, ACCEPTED)) as callers:
        callers.rounds(20)
        leave(plane)
        installation.wait_until(
            lambda: operator.metric("wardgate_operator_leader") == 0.0, "the leader knows that it cannot write"
        )
        assert [200, 200] == [operator.page(path).status for path in ("/readyz", "/healthz")]
        assert [200, 200] == [proxy.page("/readyz").status for proxy in installation.proxies]
        callers.rounds(200)

        come_back(plane)
        changes = [
            callers.turn("revoked", REFUSED),
            callers.turn("unlabelled", REFUSED),
            callers.turn("added", ACCEPTED),
        ]
        door.revoke("revoked")
        door.unlabel("unlabelled")
        door.key("added", "added")
        callers.must(*changes, within=BOUND, why=f"Keys changed as the API server came back ({leave.__name__})")

        callers.rounds(100)
    assert operator.program.is_running
    assert [True, True] == [proxy.revision()["connected"] for proxy in installation.proxies]
