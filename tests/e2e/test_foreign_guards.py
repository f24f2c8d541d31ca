"""Guards of kinds that Wardgate does not implement, on a real API server: what they close, and what opens it again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError
from tests.e2e.door import HEADER, PATH, SECURITY, Door
from tests.e2e.ending import kill_leader
from tests.e2e.installation import Installation
from tests.e2e.rights import Rights

KIND = "JWTPolicy"
NAME_OF_CRD = "jwtpolicies.security.policy.gloo.solo.io"
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": NAME_OF_CRD},
    "spec": {
        "group": "security.policy.gloo.solo.io",
        "scope": "Namespaced",
        "names": {"kind": KIND, "plural": "jwtpolicies", "singular": "jwtpolicy", "listKind": "JWTPolicyList"},
        "versions": [
            {
                "name": "v2",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}
KEY = {HEADER: "a-callers-key"}


@pytest.fixture
def door(cluster: Cluster) -> Door:
    """A route without a policy, in a cluster that knows the kind."""
    cluster.apply(CRD)
    cluster.wait_until_served(NAME_OF_CRD)
    return Door(cluster, policy=False)


def guard(door: Door) -> dict[str, Any]:
    return {
        "apiVersion": SECURITY,
        "kind": KIND,
        "metadata": {"name": "callers", "namespace": door.namespace},
        "spec": {"applyToRoutes": [{"route": {"labels": door.labels}}], "config": {}},
    }


def table_message(door: Door) -> str:
    status = door.cluster.get("RouteTable", "door", namespace=door.namespace).get("status", {})
    return str(status.get("common", {}).get("State", {}).get("message", ""))


def test_guard_closes_its_route_until_a_policy_guards_it_or_it_is_gone(installation: Installation, door: Door) -> None:
    cluster = door.cluster
    installation.operator()
    installation.proxy()
    installation.everywhere(200, PATH)

    cluster.apply(guard(door))
    installation.everywhere(403, PATH)
    installation.wait_until(
        lambda: f"{KIND} {door.namespace}/callers should guard it" in table_message(door), "the table says why"
    )

    door.key("caller", "a-callers-key")
    door.apply_policy()
    installation.everywhere(200, PATH, **KEY)
    installation.everywhere(401, PATH)

    cluster.delete("ExtAuthPolicy", "door", namespace=door.namespace)
    installation.everywhere(403, PATH, **KEY)

    cluster.delete(KIND, "callers", namespace=door.namespace)
    installation.everywhere(200, PATH)


def test_kind_that_comes_later_is_read_too(installation: Installation, cluster: Cluster) -> None:
    door = Door(cluster, policy=False)
    operator = installation.operator()
    installation.proxy()
    installation.everywhere(200, PATH)
    assert [] == [line for line in operator.program.lines if KIND in line]

    cluster.apply(CRD)
    cluster.wait_until_served(NAME_OF_CRD)
    cluster.apply(guard(door))
    installation.wait_until(
        lambda: {403} == {proxy.status(PATH) for proxy in installation.proxies}, "the guard counts", seconds=40.0
    )


def test_deleted_crd_opens_nothing_until_the_kind_is_back_without_the_guard(
    installation: Installation, door: Door
) -> None:
    cluster = door.cluster
    cluster.apply(guard(door))
    first = installation.operator()
    installation.proxy()
    installation.everywhere(403, PATH)

    cluster.delete_crd(NAME_OF_CRD)
    installation.wait_until(lambda: not _is_served(cluster), "the kind is gone")
    Door(cluster, policy=False, path="/other", beside=door)
    installation.everywhere(200, "/other")
    installation.everywhere(403, PATH)

    kill_leader(installation, first)
    second = installation.operator()
    installation.wait_until(lambda: second.page("/readyz").status == 200, "the next operator is ready")
    Door(cluster, policy=False, path="/third", beside=door)
    installation.everywhere(200, "/third")
    installation.everywhere(403, PATH)

    cluster.apply(CRD)
    installation.wait_until(
        lambda: {200} == {proxy.status(PATH) for proxy in installation.proxies}, "the list counts", seconds=40.0
    )


def _is_served(cluster: Cluster) -> bool:
    try:
        cluster.list(KIND)
    except ApiError as error:
        return error.status != 404
    return True


def test_ignored_guards_close_nothing(installation: Installation, door: Door) -> None:
    door.cluster.apply(guard(door))
    installation.operator("--foreign-guards", "ignore")
    installation.proxy()

    installation.everywhere(200, PATH)


def test_guard_that_may_no_longer_be_read_holds_nothing_up_and_opens_nothing(
    installation: Installation, door: Door
) -> None:
    cluster = door.cluster
    cluster.apply(guard(door))
    link = cluster.link()
    first = installation.operator(link=link)
    installation.proxy()
    installation.everywhere(403, PATH)

    with Rights(installation).without(KIND):
        link.kill_connections()  # the API server asks for a right only when a watch begins
        installation.wait_until(
            lambda: any(f"routes that only a newer {KIND} guards are open" in line for line in first.program.lines),
            "the log says which right is missing",
            seconds=90.0,
        )
        Door(cluster, policy=False, path="/other", beside=door)
        installation.everywhere(200, "/other")
        installation.everywhere(403, PATH)

        kill_leader(installation, first)
        second = installation.operator()
        installation.wait_until(lambda: second.page("/readyz").status == 200, "the next operator is ready")
        door.key("caller", "a-callers-key")
        Door(cluster, policy=False, path="/third", beside=door)
        installation.everywhere(200, "/third")
        installation.everywhere(403, PATH)
