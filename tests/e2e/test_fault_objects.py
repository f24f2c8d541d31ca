"""Objects that turn bad: what was good goes on being served, over restarts too, and a key is still demanded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.callers import Callers
from tests.e2e.door import HEADER, PATH, Door
from tests.e2e.ending import kill_leader, kill_proxy
from tests.e2e.installation import Installation

LDAP = {"glooAuth": {"configs": [{"ldap": {"address": "ldap.example.com", "userDnTemplate": "uid=%s"}}]}}
"""A module that Wardgate does not have."""
HALF = {"glooAuth": {"booleanExpr": "a &&", "configs": [{"name": "a", "apiKeyAuth": {}}]}}
"""An expression that ends in its middle."""
KEPT = {HEADER: "kept-key"}
RIGHT = {"kept-key": 200, "wrong-key": 401, "": 401}


@pytest.fixture
def door(cluster: Cluster) -> Door:
    made = Door(cluster)
    made.key("kept", "kept-key")
    return made


def _generation(door: Door) -> int:
    return int(door.policy()["metadata"]["generation"])


def _has_memory(installation: Installation) -> bool:
    """The operator has kept what was good when it first published."""
    names = {one["metadata"]["name"] for one in installation.cluster.list("Secret", namespace=installation.namespace)}
    return f"{installation.release}-state" in names


def _says_what_is_served(door: Door, *, generation: int) -> bool:
    status = door.policy()["status"]
    assert "INVALID" == status["common"]["State"]["approval"]
    assert "False" == door.condition("Accepted")["status"]
    return f"generation {generation} is served instead" in door.condition("Programmed")["message"]


@pytest.mark.parametrize("bad", [LDAP, HALF], ids=["unsupported-module", "broken-expression"])
def test_policy_that_turns_bad_keeps_its_last_good_form_over_a_restart(
    installation: Installation, door: Door, bad: Mapping[str, Any]
) -> None:
    operator, proxy = installation.operator(), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    good = _generation(door)
    with Callers([proxy], RIGHT):
        began = time.monotonic()
        door.break_policy(bad)
        installation.wait_until(lambda: _says_what_is_served(door, generation=good), "the status says what is served")
        print(f"the status says so {time.monotonic() - began:.2f} s after the change")
        kill_leader(installation, operator)
        operator = installation.operator()
        installation.wait_until(lambda: _leads_and_is_done(installation), "the next operator has published")
        newcomer = installation.proxy()
        assert (200, 401) == (newcomer.status(PATH, **KEPT), newcomer.status(PATH))
        assert _says_what_is_served(door, generation=good)
        door.key("later", "later-key")
        installation.everywhere(200, PATH, **{HEADER: "later-key"})
    kill_proxy(installation, newcomer)
    door.apply_policy()
    installation.wait_until(lambda: door.condition("Accepted").get("status") == "True", "it is good again")
    installation.everywhere(200, PATH, **KEPT)


def _leads_and_is_done(installation: Installation) -> bool:
    """The index carries the name of the operator that was started last."""
    return str(installation.index()["writer"]).startswith("replica-2 since")


@pytest.mark.parametrize("bad", [LDAP, HALF], ids=["unsupported-module", "broken-expression"])
def test_policy_that_turned_bad_while_no_operator_ran_keeps_its_last_good_form(
    installation: Installation, door: Door, bad: Mapping[str, Any]
) -> None:
    """The next operator has never seen the good form: it knows it from the state that its predecessor kept."""
    operator, proxy = installation.operator(), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    installation.wait_until(lambda: _has_memory(installation), "the good form is kept")
    good = _generation(door)
    kill_leader(installation, operator)
    with Callers([proxy], RIGHT):
        door.break_policy(bad)
        installation.operator()
        installation.wait_until(lambda: _says_what_is_served(door, generation=good), "the status says what is served")
        door.key("later", "later-key")
        installation.everywhere(200, PATH, **{HEADER: "later-key"})
        newcomer = installation.proxy()
        assert (200, 401) == (newcomer.status(PATH, **KEPT), newcomer.status(PATH))


def test_policy_without_a_good_form_closes_its_routes(installation: Installation, cluster: Cluster) -> None:
    door = Door(cluster, policy=False)
    door.key("kept", "kept-key")
    installation.operator()
    proxy = installation.proxy()
    installation.everywhere(200, PATH)
    door.break_policy(LDAP)
    installation.everywhere(500, PATH, **KEPT)
    with Callers([proxy], {"kept-key": 500, "": 500}):
        installation.wait_until(lambda: door.condition("Accepted").get("status") == "False", "the status says why")
        assert "nothing of the object is served" in door.condition("Programmed")["message"]
        door.key("later", "later-key")
        installation.wait_until(lambda: proxy.revision()["sequence"] == installation.index()["sequence"], "it is live")
    door.apply_policy()
    installation.everywhere(200, PATH, **KEPT)
    installation.everywhere(401, PATH)


def test_state_that_cannot_be_read_closes_the_bad_and_serves_the_rest(
    installation: Installation, door: Door, cluster: Cluster
) -> None:
    """Somebody emptied the operator's memory, and the policy turned bad: nobody knows what it demanded."""
    other = Door(cluster, path="/other", beside=door)
    other.key("kept", "other-key")
    operator, proxy = installation.operator(), installation.proxy()
    installation.everywhere(200, PATH, **KEPT)
    installation.everywhere(200, "/other", **{HEADER: "other-key"})
    installation.wait_until(lambda: _has_memory(installation), "the good forms are kept")
    kill_leader(installation, operator)
    door.break_policy(LDAP)
    state = f"{installation.release}-state"
    cluster.patch("Secret", state, {"data": {"state.z": "AAAA"}}, namespace=installation.namespace)
    operator = installation.operator()
    installation.everywhere(500, PATH, **KEPT)
    assert 200 == proxy.status("/other", **{HEADER: "other-key"})
    assert [] != [line for line in operator.program.lines if state in line and "cannot be read" in line]
