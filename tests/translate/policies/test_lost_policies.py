"""Policies that went away with their kind close what they guarded, until a policy of their name is there again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.translate.cluster import Cluster
from tests.translate.foreign.test_guards import OPEN, policy
from tests.translate.tenants import ANY_HOST, actions, gateway, route, routes, status, table
from wardgate.api import Approval
from wardgate.ir import Refuse
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import ClusterSnapshot
from wardgate.translate import Memo, Translation, translate
from wardgate.translate.policies.lost_policies import KIND, all_lost, still_lost
from wardgate.translate.reading.last_good import LastGood

LOST = Refuse(500, "policy_lost")
CLOSED = Refuse(401, "auth_required")
KEYS = ObjectRef(KIND, "infra", "keys")
ROUTE = "infra/rt/r"


def world(*policies: dict[str, Any]) -> Cluster:
    admits = [{"host": "*", "selector": {"namespace": "infra"}}]
    routed = table("infra/rt", route("r", labels={"team": "a"}), **ANY_HOST)
    return Cluster().apply(gateway(*admits), routed, *policies)


class Rounds:
    """One translation after another, each with what the last one remembers."""

    def __init__(self) -> None:
        self.last_good: LastGood = {}
        self._memo = Memo()

    def next(self, snapshot: ClusterSnapshot) -> Translation:
        found = translate(snapshot, Settings(), last_good=self.last_good, memo=self._memo)
        self.last_good = found.last_good
        return found


def lapsed(cluster: Cluster, *, absent: bool) -> ClusterSnapshot:
    kinds = frozenset({KIND})
    return replace(cluster.snapshot(), absent_kinds=kinds if absent else frozenset(), lapsed_kinds=kinds)


def after_a_lapse() -> Rounds:
    rounds = Rounds()
    rounds.next(world(policy("infra/keys", team="a")).snapshot())
    assert {ROUTE: CLOSED} == actions(rounds.next(lapsed(world(), absent=True)))
    return rounds


def test_route_of_a_lost_policy_is_closed_once_the_kind_is_back() -> None:
    rounds = after_a_lapse()

    assert {ROUTE: LOST} == actions(rounds.next(world().snapshot()))
    assert {ROUTE: LOST} == actions(rounds.next(world().snapshot()))


def test_kind_that_is_away_between_two_rounds_opens_nothing() -> None:
    rounds = Rounds()
    rounds.next(world(policy("infra/keys", team="a")).snapshot())

    assert {ROUTE: LOST} == actions(rounds.next(lapsed(world(), absent=False)))


def test_policy_that_is_back_guards_its_route() -> None:
    rounds = after_a_lapse()
    found = rounds.next(world(policy("infra/keys", team="a")).snapshot())

    assert [(OPEN, "infra/keys")] == [(one.action, one.auth) for one in routes(found)]
    assert () == found.lost_policies


def test_policy_that_is_back_and_then_deleted_is_gone() -> None:
    rounds = after_a_lapse()
    rounds.next(world(policy("infra/keys", team="a")).snapshot())

    assert {ROUTE: OPEN} == actions(rounds.next(world().snapshot()))


def test_policy_that_its_owner_deletes_is_not_lost() -> None:
    rounds = Rounds()
    rounds.next(world(policy("infra/keys", team="a")).snapshot())

    assert {ROUTE: OPEN} == actions(rounds.next(world().snapshot()))


def test_younger_policy_does_not_take_the_place_of_a_lost_one() -> None:
    rounds = after_a_lapse()
    found = rounds.next(world(policy("infra/others", team="a")).snapshot())

    assert {ROUTE: LOST} == actions(found)
    assert Approval.FAILED != status(found, "infra/others", KIND).approval


def test_lost_policy_that_selects_nothing_by_label_closes_no_other_route() -> None:
    rounds = Rounds()
    rounds.next(world(policy("infra/keys", team="b")).snapshot())

    assert {ROUTE: OPEN} == actions(rounds.next(lapsed(world(), absent=False)))


def test_table_is_told_which_policy_is_lost_and_what_to_do() -> None:
    found = after_a_lapse().next(world().snapshot())
    told = status(found, "infra/rt")

    assert Approval.WARNING == told.approval
    assert (
        "1 of the routes of RouteTable infra/rt is closed (500): ExtAuthPolicy infra/keys guarded it, and went away "
        "when the CRD of its kind was deleted. Apply the policy again; if it is meant to be gone, delete it afterwards."
    ) in told.message


def test_new_leader_keeps_what_it_saw_going_away() -> None:
    good = Rounds()
    good.next(world(policy("infra/keys", team="a")).snapshot())
    loaded, known = good.last_good, after_a_lapse().last_good

    assert still_lost(loaded, known)[KEYS].is_lost
    assert {} == still_lost({}, known)
    another = {KEYS: replace(loaded[KEYS], uid="another")}
    assert another == still_lost(another, known)


def test_only_policies_are_lost() -> None:
    rounds = Rounds()
    rounds.next(world(policy("infra/keys", team="a")).snapshot())
    found = all_lost(rounds.last_good)

    assert [KEYS] == [ref for ref, one in found.items() if one.is_lost]
    assert rounds.last_good.keys() == found.keys()
