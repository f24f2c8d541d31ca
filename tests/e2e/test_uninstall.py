"""What the operator keeps in its namespace goes with the release, and holds up no release after it.

No garbage collector runs in this cluster: that every object names its owner is what there is to see.
"""

from __future__ import annotations

from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.e2e.door import Door
from tests.e2e.ending import kill
from tests.e2e.installation import Installation


def test_lease_and_state_belong_to_the_account_and_another_one_takes_them_over(
    installation: Installation, cluster: Cluster
) -> None:
    Door(cluster)
    first = installation.operator()
    before = _account(installation)
    installation.wait_until(lambda: _owners(installation) == [before, before], "Lease and state have their owner")

    kill(first.program)
    cluster.delete("ServiceAccount", f"{installation.release}-operator", namespace=installation.namespace)
    second = installation.operator()
    now = _account(installation)
    assert before != now
    installation.wait_until(lambda: _owners(installation) == [now, now], "they belong to the account that is there")
    assert 1.0 == second.metric("wardgate_operator_leader")


def _account(installation: Installation) -> str:
    name = f"{installation.release}-operator"
    found = installation.cluster.get("ServiceAccount", name, namespace=installation.namespace)
    return str(found["metadata"]["uid"])


def _owners(installation: Installation) -> list[str]:
    kept = (("Lease", f"{installation.release}-operator"), ("Secret", f"{installation.release}-state"))
    return [owner["uid"] for kind, name in kept for owner in _owners_of(installation, kind, name)]


def _owners_of(installation: Installation, kind: str, name: str) -> list[dict[str, Any]]:
    try:
        found = installation.cluster.get(kind, name, namespace=installation.namespace)
    except ApiError:
        return []
    return list(found["metadata"].get("ownerReferences", ()))
