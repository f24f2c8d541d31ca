"""Objects of others that act on the proxies: an autoscaler, and evictions under a disruption budget."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.http_api import ApiError
from tests.e2e_pods.calls import Calls
from tests.e2e_pods.release import Release
from tests.e2e_pods.site import Site


def test_an_autoscaler_is_obeyed_and_an_upgrade_leaves_its_count(release: Release, calls: Calls, site: Site) -> None:
    """There is nobody to measure CPU here; an autoscaler enforces its bounds all the same."""
    scaled = {"proxy": {"replicas": None, "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 4}}}
    with calls.under_load("autoscaler") as callers:
        release.upgrade(scaled)
        release.wait_for("proxy", 3)
        release.upgrade({**scaled, "requireAuth": True})
        release.rolled_out("proxy")
        assert 3 == release.wanted("proxy")
        release.upgrade({"proxy": {"replicas": None}})
        release.scale("proxy", 2)
        release.upgrade()
        callers.rounds(50, site)


@pytest.mark.parametrize("component", ["operator", "proxy"])
def test_evictions_leave_all_pods_but_one(release: Release, calls: Calls, site: Site, component: str) -> None:
    with calls.under_load(f"eviction of {component}") as callers:
        names = [pod["metadata"]["name"] for pod in release.ready_pods(component)]
        answers = [_evict(site, release, name) for name in names]
        release.wait_for(component, 2)
        callers.rounds(50, site)

    assert [201, 429] == answers


def _evict(site: Site, release: Release, name: str) -> int:
    body: dict[str, Any] = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": release.namespace},
    }
    try:
        site.http.request("POST", f"/api/v1/namespaces/{release.namespace}/pods/{name}/eviction", body=body)
    except ApiError as error:
        return error.status
    return 201
