"""Kinds that may not be read, or that are not there: what is refused is not empty, and what is absent opens nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.cluster.cluster import CRDS, Cluster
from tests.e2e.callers import Callers
from tests.e2e.door import HEADER, PATH, POLICY, Door
from tests.e2e.ending import kill_leader, kill_proxy
from tests.e2e.installation import Installation, Operator
from tests.e2e.rights import Rights

KEPT = {HEADER: "kept-key"}
RIGHT = {"kept-key": 200, "": 401}
ASKED_AGAIN_SECONDS = 25.0
"""What was refused or absent is asked for again every 15 s at most."""


@pytest.fixture
def door(cluster: Cluster) -> Door:
    made = Door(cluster)
    made.key("kept", "kept-key")
    return made


def _says(operator: Operator, *words: str) -> bool:
    return any(all(word in line for word in words) for line in operator.program.lines)


@pytest.mark.parametrize(("kind", "plural"), [(POLICY, "extauthpolicies"), ("Secret", "secrets")])
def test_kind_that_may_not_be_read_at_the_start_holds_up_everything_and_drops_nothing(
    installation: Installation, door: Door, kind: str, plural: str
) -> None:
    first, proxy = installation.operator(), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    kill_leader(installation, first)
    before = installation.index()
    with Callers([proxy], RIGHT):
        with Rights(installation).without(kind):
            second = installation.operator()
            installation.wait_until(
                lambda: _says(second, "does not let the operator list", plural), "the log says which right is missing"
            )
            installation.wait_until(lambda: _says(second, "This replica leads now"), "it leads all the same")
            ready = second.page("/readyz")
            assert (503, True) == (ready.status, f"Allow its ServiceAccount to list and watch {plural}" in str(ready))
            assert 200 == second.page("/healthz").status
            door.key("later", "later-key")
            assert before["revision"] == installation.index()["revision"]
            newcomer = installation.proxy()
            assert (200, 401) == (newcomer.status(PATH, **KEPT), newcomer.status(PATH))
            kill_proxy(installation, newcomer)
            assert (before["revision"], 503) == (installation.index()["revision"], second.page("/readyz").status)
        began = time.monotonic()
        installation.wait_until(
            lambda: second.page("/readyz").status == 200, "the operator is ready", seconds=ASKED_AGAIN_SECONDS
        )
        print(f"{kind}: ready {time.monotonic() - began:.1f} s after the right was given")
        installation.everywhere(200, PATH, **{HEADER: "later-key"})


@pytest.mark.parametrize(("kind", "plural"), [(POLICY, "extauthpolicies"), ("Secret", "secrets")])
def test_kind_that_may_no_longer_be_read_stays_as_it_was_last_seen(
    installation: Installation, door: Door, cluster: Cluster, kind: str, plural: str
) -> None:
    link = cluster.link()
    operator, proxy = installation.operator(link=link), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    with Callers([proxy], RIGHT):
        with Rights(installation).without(kind):
            link.kill_connections()  # the API server asks for a right only when a watch begins
            installation.wait_until(
                lambda: _says(operator, "does not let the operator list", plural), "the log says which right is missing"
            )
            assert 200 == operator.page("/readyz").status
            other = Door(cluster, path="/other", beside=door)  # its routes count, as those of every kind that is read
            other.key("kept", "other-key")
            expected = 200 if kind == POLICY else 401  # a policy that is not seen demands nothing, a key nothing gives
            installation.everywhere(expected, "/other", **{HEADER: "other-key"})
        began = time.monotonic()
        installation.wait_until(
            lambda: {200, 401} == {proxy.status("/other", **{HEADER: "other-key"}), proxy.status("/other")},
            "what was not seen counts",
            seconds=ASKED_AGAIN_SECONDS,
        )
        print(f"{kind}: what was not seen counts {time.monotonic() - began:.1f} s after the right was given back")


@pytest.fixture
def private_installation(private_cluster: Cluster, helm: Path, tmp_path: Path) -> Iterator[Installation]:
    with Installation(private_cluster, Helm(helm), tmp_path) as installed:
        yield installed


def _crd(cluster: Cluster) -> str:
    kind = cluster.resource(POLICY)
    return f"{kind.plural}.{kind.group}"


def test_absent_kind_of_policies_closes_every_route_until_it_is_there(
    private_installation: Installation, private_cluster: Cluster
) -> None:
    installation = private_installation
    name = _crd(private_cluster)
    private_cluster.delete_crd(name)
    door = Door(private_cluster, policy=False)
    door.key("kept", "kept-key")
    operator = installation.operator()
    proxy = installation.proxy()
    assert 200 == operator.page("/readyz").status
    assert _says(operator, "does not know the kind ExtAuthPolicy")
    before = installation.index()
    with Callers([proxy], {"": 401, "wrong-key": 401}):
        assert 401 == proxy.status(PATH, **KEPT)
        Door(private_cluster, policy=False, path="/other", beside=door)
        installation.everywhere(401, "/other")
        # An absent kind is empty, and that is known: the config is as true as any.
        assert before["verifiedAt"] < installation.index()["verifiedAt"]
    # From here on a route that no policy guards is open, until its policy is there.
    private_cluster.apply(CRDS)
    private_cluster.wait_until_served(name)
    began = time.monotonic()
    door.apply_policy()
    installation.everywhere(401, PATH)
    installation.everywhere(200, PATH, **KEPT)
    print(f"the policy of a new kind is in force {time.monotonic() - began:.1f} s after it was applied")
    installation.everywhere(200, "/other")


def test_kind_of_policies_that_goes_away_closes_every_route(
    private_installation: Installation, private_cluster: Cluster
) -> None:
    """The API server deletes the policies before the kind: that is no reason to open what they closed."""
    installation = private_installation
    door = Door(private_cluster)
    door.key("kept", "kept-key")
    installation.operator()
    proxy = installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    with Callers([proxy], {"": 401, "wrong-key": 401}):
        began = time.monotonic()
        private_cluster.delete_crd(_crd(private_cluster))
        installation.everywhere(401, PATH, **KEPT)
        print(f"closed {time.monotonic() - began:.1f} s after the kind was deleted")


def test_restored_kind_leaves_routes_closed_until_their_policies_are_back(
    private_installation: Installation, private_cluster: Cluster
) -> None:
    """An operator that starts in the middle knows as much; and a policy that is back and deleted then, is gone."""
    installation, name = private_installation, _crd(private_cluster)
    door = Door(private_cluster)
    door.key("kept", "kept-key")
    first = installation.operator()
    proxy = installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    with Callers([proxy], {"": 401, "wrong-key": 401}) as callers:
        private_cluster.delete_crd(name)
        installation.everywhere(401, PATH, **KEPT)
        lost = callers.turn("wrong-key", 500), callers.turn("", 500)
        private_cluster.apply(CRDS)
        private_cluster.wait_until_served(name)
        callers.must(*lost, within=ASKED_AGAIN_SECONDS, why="the routes of lost policies answer 500")
        installation.wait_until(lambda: _says(first, "Lost with the CRD", f"{POLICY} {door.namespace}/door"), "told")
        installation.wait_until(lambda: "Apply the policy again" in _told(door), "the table says what to do")
        Door(private_cluster, policy=False, path="/other", beside=door)
        installation.everywhere(200, "/other")
        kill_leader(installation, first)
        second = installation.operator()
        installation.wait_until(lambda: second.page("/readyz").status == 200, "the next operator is ready")
        Door(private_cluster, policy=False, path="/third", beside=door)
        installation.everywhere(200, "/third")
        assert 1.0 == second.metric("wardgate_operator_lost_policies")
        callers.rounds(20)
        back = callers.turn("wrong-key", 401), callers.turn("", 401)
        door.apply_policy()
        callers.must(*back, within=ASKED_AGAIN_SECONDS, why="the policy is back")
    installation.everywhere(200, PATH, **KEPT)
    private_cluster.delete(POLICY, "door", namespace=door.namespace)
    installation.everywhere(200, PATH)


def test_kind_that_is_replaced_while_no_operator_runs_opens_nothing(
    private_installation: Installation, private_cluster: Cluster
) -> None:
    installation, name = private_installation, _crd(private_cluster)
    door = Door(private_cluster)
    first = installation.operator()
    proxy = installation.proxy()
    installation.everywhere(401, PATH)
    with Callers([proxy], {"": 401}) as callers:
        kill_leader(installation, first)
        private_cluster.delete_crd(name)
        private_cluster.apply(CRDS)
        private_cluster.wait_until_served(name)
        lost = callers.turn("", 500)
        installation.operator()
        callers.must(lost, within=ASKED_AGAIN_SECONDS, why="the routes of lost policies answer 500")
        back = callers.turn("", 401)
        door.apply_policy()
        callers.must(back, within=ASKED_AGAIN_SECONDS, why="the policy is back")


def _told(door: Door) -> str:
    status = door.cluster.get("RouteTable", "door", namespace=door.namespace).get("status", {})
    return str(status.get("common", {}).get("State", {}).get("message", ""))
