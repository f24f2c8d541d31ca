"""A new leader, the policies that the last one remembered, and the log."""

from __future__ import annotations

import logging

import pytest

from wardgate.control.lost_policies import LostPolicies
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject


def stored(name: str, *, kind: str = "ExtAuthPolicy", lost: bool = False) -> StoredObject:
    return StoredObject(ObjectRef(kind, "a", name), f"uid of {name}", 1, 1, "", {}, is_lost=lost)


REMEMBERED = {one.ref: one for one in (stored("one"), stored("two"), stored("table", kind="RouteTable"))}


def lost(policies: LostPolicies) -> list[str]:
    return [ref.name for ref, one in policies.recall(REMEMBERED, known={}).items() if one.is_lost]


def test_policies_of_which_none_survived_are_all_lost() -> None:
    policies = LostPolicies()
    policies.meet([stored("three")])

    assert ["one", "two"] == lost(policies)


def test_policy_beside_which_another_survived_was_deleted_by_its_owner() -> None:
    policies = LostPolicies()
    policies.meet([stored("one")])

    assert [] == lost(policies)


def test_what_was_deleted_before_our_eyes_is_not_lost() -> None:
    policies = LostPolicies()
    policies.meet([stored("one"), stored("two")])
    policies.meet([])

    assert [] == lost(policies)


def test_other_policies_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    policies = LostPolicies()
    for now in ([], [stored(f"p{number}") for number in range(7)], [stored(f"p{number}") for number in range(7)], []):
        policies.tell(now)

    assert 0 == policies.count
    assert [logging.WARNING, logging.INFO] == [record.levelno for record in caplog.records]
    assert "ExtAuthPolicy a/p0, " in caplog.text
    assert "ExtAuthPolicy a/p4 and 2 more. The routes" in caplog.text
