"""Processes that hang: the kubelet's liveness probe ends them, and meanwhile the others do their work."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.cluster.objects import Object
from tests.e2e_pods.calls import Calls
from tests.e2e_pods.host import Host
from tests.e2e_pods.release import Release, restarts
from tests.e2e_pods.site import Site

RESTART_SECONDS = 90.0
"""Three failures of a probe of ten seconds, five of grace, and the start; a busy node takes longer."""
UNDER_LOAD = 4


@pytest.fixture(scope="module")
def host(site: Site) -> Host:
    """The node's processes."""
    return Host(site)


def test_a_hanging_supervisor_is_restarted_and_its_workers_serve_until_then(
    release: Release, calls: Calls, site: Site, host: Host, say: Callable[[str], None]
) -> None:
    pod = release.ready_pods("proxy")[0]
    address = pod["status"]["podIP"]
    with calls.under_load("hanging supervisor", lost=UNDER_LOAD) as callers:
        host.stop(pod)
        began = time.monotonic()
        calls.key("hanging", "k-hanging")
        callers.rounds(100, site)
        assert 200 == calls.status(address), "its workers serve what they have"
        _wait_for_restart(release, site, pod)
        say(f"  hanging supervisor: restarted after {time.monotonic() - began:.1f} s")
        callers.rounds(200, site)
    say(f"  callers: {callers.tally['answers']} answers, {callers.tally['lost']} lost")

    site.wait(lambda: calls.status(address, headers={"api-key": "k-hanging"}) == 200, "it serves what it missed")
    calls.revoke("hanging")
    _replace(release, site, pod)


def test_a_hanging_operator_is_replaced_by_the_other_and_restarted(
    release: Release, calls: Calls, site: Site, host: Host, say: Callable[[str], None]
) -> None:
    leader = _leader(release, site)
    with calls.under_load("hanging operator") as callers:
        host.stop(leader)
        began = time.monotonic()
        calls.keys_still_count("operator-hangs")
        say(f"  hanging operator: keys count again after {time.monotonic() - began:.1f} s")
        _wait_for_restart(release, site, leader, component="operator")
        say(f"  hanging operator: restarted after {time.monotonic() - began:.1f} s")
        callers.rounds(50, site)
    _replace(release, site, leader, component="operator")


def _leader(release: Release, site: Site) -> Object:
    lease = site.get("Lease", release.deployment("operator"), namespace=release.namespace)
    holder = str(lease["spec"]["holderIdentity"])
    (leader,) = [pod for pod in release.ready_pods("operator") if pod["metadata"]["name"] in holder]
    return leader


def _wait_for_restart(release: Release, site: Site, pod: Object, *, component: str = "proxy") -> None:
    name, before = pod["metadata"]["name"], restarts(pod)
    site.wait(
        lambda: restarts(site.get("Pod", name, namespace=release.namespace)) == before + 1,
        f"{name} is restarted",
        seconds=RESTART_SECONDS,
    )
    release.wait_for(component, 2)


def _replace(release: Release, site: Site, pod: Object, *, component: str = "proxy") -> None:
    """Have a fresh pod in the place of one that was restarted: the next test finds every pod started once."""
    site.delete("Pod", pod["metadata"]["name"], namespace=release.namespace)
    release.wait_for(component, 2)
