"""What a status says: the envelope of Gloo, three conditions, times that move on a flip only, and counted keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kube.verdicts import AT_LATER, AT_NOON, LATER, NOON, condition, desired, manifest, verdict
from wardgate.api import Approval, ConditionReason, ConditionType
from wardgate.api.kinds.conditions import MAX_MESSAGE
from wardgate.kube.status.key_expiry import KeyExpiries
from wardgate.kube.status.manifest import NO_PROXIES, PROGRAMMED, Programming, not_programmed
from wardgate.problems import ObjectRef, Reason
from wardgate.translate.statuses.object_status import Counts

_DAY = 24 * 3600
_DOCUMENT = Path(__file__).parents[3] / "docs" / "status.md"
_CODES = Path(__file__).parents[3] / "docs" / "findings.md"


def _told(status: object, kind: str) -> tuple[str, str]:
    assert isinstance(status, dict)
    found = condition(status, kind)
    return found["status"], found["reason"]


def test_accepted_and_served_everywhere_is_ready() -> None:
    status = manifest(desired(verdict(generation=3)))

    assert {"approval": "ACCEPTED", "message": "", "observedGeneration": 3} == status["common"]["State"]
    assert 3 == status["observedGeneration"]
    assert [
        {
            "type": "Accepted",
            "status": "True",
            "reason": "Accepted",
            "message": "The object is right.",
            "lastTransitionTime": AT_NOON,
            "observedGeneration": 3,
        },
        {
            "type": "Programmed",
            "status": "True",
            "reason": "Programmed",
            "message": "Every ready proxy serves this generation.",
            "lastTransitionTime": AT_NOON,
            "observedGeneration": 3,
        },
        {
            "type": "Ready",
            "status": "True",
            "reason": "Ready",
            "message": "Accepted, and served by every ready proxy.",
            "lastTransitionTime": AT_NOON,
            "observedGeneration": 3,
        },
    ] == status["conditions"]


def test_warning_is_accepted_and_says_so() -> None:
    status = manifest(desired(verdict(Approval.WARNING, message="Field x has no effect.")))

    assert "WARNING" == status["common"]["State"]["approval"]
    assert ("True", "NoEffect") == _told(status, "Accepted")
    assert "Field x has no effect." == condition(status, "Accepted")["message"]
    assert ("True", "NoEffect") == _told(status, "Ready")
    assert (
        "Served by every ready proxy, with a warning: Field x has no effect." == condition(status, "Ready")["message"]
    )


@pytest.mark.parametrize(("approval", "reason"), [(Approval.INVALID, "TemplateError"), (Approval.FAILED, "Conflicted")])
def test_what_is_not_accepted_is_neither_programmed_nor_ready(approval: Approval, reason: str) -> None:
    status = manifest(desired(verdict(approval, message="It is bad.", served=None)))

    assert ("False", reason) == _told(status, "Accepted")
    assert ("False", "NotAccepted") == _told(status, "Programmed")
    assert ("False", reason) == _told(status, "Ready")
    assert "It is bad." == condition(status, "Ready")["message"]


@pytest.mark.parametrize("approval", [Approval.INVALID, Approval.FAILED])
def test_what_only_a_change_of_the_object_mends_is_stalled(approval: Approval) -> None:
    status = manifest(desired(verdict(approval, message="It is bad.", served=None)))

    stalled = condition(status, "Stalled")
    assert ("True", "It is bad.") == (stalled["status"], stalled["message"])
    assert condition(status, "Ready")["reason"] == stalled["reason"]


@pytest.mark.parametrize(
    "reason", [Reason.REF_NOT_FOUND, Reason.REF_NOT_PERMITTED, Reason.NOT_ALLOWED, Reason.HELD_BACK]
)
def test_what_waits_for_another_object_is_not_stalled(reason: Reason) -> None:
    """A folder is applied file by file; what is incomplete for a moment must not fail a rollout."""
    status = manifest(desired(verdict(Approval.INVALID, reason=reason, served=None)))

    assert ["Accepted", "Programmed", "Ready"] == [one["type"] for one in status["conditions"]]
    assert ("False", reason) == _told(status, "Ready")


@pytest.mark.parametrize("programming", [PROGRAMMED, NO_PROXIES, not_programmed()])
def test_what_waits_for_proxies_is_not_stalled(programming: Programming) -> None:
    status = manifest(desired(programming=programming))

    assert ["Accepted", "Programmed", "Ready"] == [one["type"] for one in status["conditions"]]


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (None, "nothing of the object is served."),
        (2, "generation 2 is served instead."),
        (4, "only what is right in it is served."),
    ],
)
def test_status_of_a_bad_object_says_what_is_served(served: int | None, words: str) -> None:
    status = manifest(desired(verdict(Approval.INVALID, generation=4, served=served)))

    assert f"Generation 4 is not accepted: {words}" == condition(status, "Programmed")["message"]


def test_proxies_that_are_behind_keep_it_from_being_ready() -> None:
    status = manifest(desired(programming=not_programmed("Behind is 1 of 2: a.")))

    assert ("True", "Accepted") == _told(status, "Accepted")
    assert ("False", "NotProgrammed") == _told(status, "Programmed")
    assert ("False", "NotProgrammed") == _told(status, "Ready")
    assert "Behind is 1 of 2: a." in condition(status, "Ready")["message"]


def test_without_proxies_nobody_knows() -> None:
    status = manifest(desired(programming=NO_PROXIES))

    assert ("Unknown", "NoProxies") == _told(status, "Programmed")
    assert ("Unknown", "NoProxies") == _told(status, "Ready")


def test_time_of_a_condition_stays_while_its_status_does() -> None:
    before = manifest(desired(verdict(generation=1)))
    after = manifest(desired(verdict(Approval.WARNING, generation=2)), previous=before, now=LATER)

    assert {AT_NOON} == {one["lastTransitionTime"] for one in after["conditions"]}
    assert {2} == {one["observedGeneration"] for one in after["conditions"]}


def test_time_of_a_condition_moves_when_its_status_flips() -> None:
    before = manifest(desired())
    after = manifest(desired(programming=not_programmed()), previous=before, now=LATER)

    assert [AT_NOON, AT_LATER, AT_LATER] == [one["lastTransitionTime"] for one in after["conditions"]]


@pytest.mark.parametrize(
    "previous",
    [
        None,
        {},
        {"conditions": None},
        {"conditions": "x"},
        {"conditions": ["x", {}]},
        {"conditions": [{"type": "Accepted", "status": "True"}]},
        {"conditions": [{"type": "Accepted", "status": "True", "lastTransitionTime": None}]},
    ],
)
def test_previous_status_of_another_form_is_no_previous_status(previous: dict[str, object] | None) -> None:
    assert manifest(desired()) == manifest(desired(), previous=previous)


def test_summary_is_short_however_long_the_message() -> None:
    status = manifest(desired(verdict(Approval.INVALID, message="x" * MAX_MESSAGE)))

    assert MAX_MESSAGE == len(condition(status, "Accepted")["message"])
    assert 1024 == len(condition(status, "Ready")["message"])


def test_counts_stand_under_the_names_of_the_api() -> None:
    ref = ObjectRef("RouteTable", "team", "routes")
    counts: Counts = {"num_applied_route_policies": {"x, Kind=y": 2}, "num_parent_route_tables": 0}
    status = manifest(desired(verdict(ref=ref, counts=counts)))

    assert {"x, Kind=y": 2} == status["numAppliedRoutePolicies"]
    assert 0 == status["numParentRouteTables"]
    assert "numAllowedVirtualGateways" not in status


def test_empty_map_is_left_out() -> None:
    ref = ObjectRef("RouteTable", "team", "routes")

    assert "numAppliedRoutePolicies" not in manifest(
        desired(verdict(ref=ref, counts={"num_applied_route_policies": {}}))
    )


def test_policy_without_keys_of_its_own_counts_none() -> None:
    assert "keys" not in manifest(desired(verdict(counts={"keys": {}})))


def test_keys_are_counted_by_what_became_of_them() -> None:
    counts: Counts = {"keys": {"usable": 5, "rejected": 2, "duplicate": 1, "rejected_reasons": {"BadSecret": 2}}}
    status = manifest(desired(verdict(counts=counts)))

    assert {
        "usable": 5,
        "rejected": 2,
        "duplicate": 1,
        "expiringSoon": 0,
        "rejectedReasons": {"BadSecret": 2},
    } == status["keys"]


def test_expired_keys_are_rejected_and_those_of_the_next_week_expire_soon() -> None:
    now = int(NOON.timestamp())
    expiries = KeyExpiries(((now - 1, now, now + 1, now + 7 * _DAY), (now + 7 * _DAY + 1,)))
    counts: Counts = {"keys": {"usable": 5, "rejected": 1, "duplicate": 0, "rejected_reasons": {"BadSecret": 1}}}
    status = manifest(desired(verdict(counts=counts), expiries=expiries))

    assert {
        "usable": 3,
        "rejected": 3,
        "duplicate": 0,
        "expiringSoon": 2,
        "rejectedReasons": {"BadSecret": 1, "ExpiredKey": 2},
    } == status["keys"]


def test_programmed_for_ever_is_not_only_a_moment() -> None:
    assert desired(programming=PROGRAMMED).is_settled
    assert desired(programming=NO_PROXIES).is_settled
    assert not desired(programming=not_programmed()).is_settled
    assert desired(verdict(Approval.INVALID), not_programmed()).is_settled


def _section(title: str) -> str:
    return _DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_document_explains_every_condition() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", _section("The conditions"), flags=re.MULTILINE)

    assert [kind.value for kind in ConditionType] == explained


def test_document_explains_every_reason() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", _section("Reasons"), flags=re.MULTILINE))
    codes = set(re.findall(r"^\| \[`(\w+)`\]", _CODES.read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert {reason.value for reason in ConditionReason} == explained
    assert set(Reason) == codes
