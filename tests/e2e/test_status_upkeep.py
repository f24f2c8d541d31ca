"""Statuses stay what they should be, and cost no more requests than they need."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.objects import Object
from tests.e2e.door import HEADER, PATH, POLICY, Door
from tests.e2e.ending import kill_leader
from tests.e2e.installation import Installation
from wardgate.api import KINDS
from wardgate.kube.watch.kind_resources import resource_of

REPAIRED_SECONDS = 10.0
"""A second would do; a loaded machine may need more."""
BROKEN = {"glooAuth": {"configs": [{"ldap": {"address": "ldap.example.com"}}]}}
DOOR_KINDS = ("VirtualGateway", "RouteTable", POLICY)
PLURALS = frozenset(resource_of(kind).plural for kind in KINDS)


class Kept:
    """A door whose statuses are all written, and the operator that wrote them.

    They are written one after the other, so that the first one says nothing of the others.
    """

    def __init__(self, cluster: Cluster, installation: Installation) -> None:
        self.cluster = cluster
        self.installation = installation
        self.door = Door(cluster)
        self.door.key("key", "k")
        self.operator = installation.operator()
        for _ in range(2):
            installation.proxy()
        installation.everywhere(200, PATH, **{HEADER: "k"})
        installation.wait_until(lambda: all(map(_is_programmed, self.objects())), "every object is programmed")

    def objects(self) -> list[Object]:
        return [self.cluster.get(kind, "door", namespace=self.door.namespace) for kind in DOOR_KINDS]

    def until(self, condition: str, status: str) -> None:
        self.installation.wait_until(
            lambda: self.door.condition(condition).get("status") == status, f"{condition} is {status}"
        )


def _is_programmed(found: Object) -> bool:
    conditions = found.get("status", {}).get("conditions", ())
    return any((one["type"], one["status"]) == ("Programmed", "True") for one in conditions)


@pytest.fixture
def kept(cluster: Cluster, installation: Installation) -> Kept:
    return Kept(cluster, installation)


def test_status_that_somebody_overwrites_is_put_right(kept: Kept) -> None:
    ours = kept.door.policy()["status"]
    forged = [{**one, "status": "False", "message": "Not by us."} for one in ours["conditions"]]
    kept.cluster.patch(
        POLICY, "door", {"status": {"conditions": forged}}, namespace=kept.door.namespace, subresource="status"
    )
    kept.installation.wait_until(
        lambda: (
            [(one["type"], one["status"]) for one in kept.door.policy()["status"]["conditions"]]
            == [(one["type"], one["status"]) for one in ours["conditions"]]
        ),
        "the status is ours again",
        seconds=REPAIRED_SECONDS,
    )


def test_new_leader_learns_the_statuses_from_its_lists_and_writes_what_changed(kept: Kept) -> None:
    kill_leader(kept.installation, kept.operator)
    mark = kept.cluster.audit_mark()
    kept.installation.operator()
    kept.door.break_policy(BROKEN)
    kept.until("Accepted", "False")
    user = f"system:serviceaccount:{kept.installation.namespace}:{kept.installation.release}-operator"

    def asked() -> set[tuple[str, str]]:
        found = kept.cluster.audit(since=mark, user=user)
        return {(event.verb, event.resource) for event in found if event.resource in PLURALS}

    # The lists of a takeover suffice for the status: on a busy machine it is written before the watches are open.
    kept.installation.wait_until(lambda: "watch" in {verb for verb, _ in asked()}, "the new leader watches as well")
    assert {"list", "watch", "patch"} == {verb for verb, _ in asked()}
    assert {"extauthpolicies"} == {resource for verb, resource in asked() if verb == "patch"}
