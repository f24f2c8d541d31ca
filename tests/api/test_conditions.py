"""Statuses have the shape that Gloo's tools and ``kubectl wait`` read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wardgate.api.kinds.conditions import (
    Approval,
    CommonStatus,
    Condition,
    ConditionReason,
    ConditionType,
    ExtAuthPolicyStatus,
    KeyCounts,
    State,
)

_WHEN = "2026-01-01T00:00:00Z"


def test_status_is_written_under_the_names_of_the_api() -> None:
    accepted = Condition(
        type=ConditionType.ACCEPTED.value,
        status="True",
        reason=ConditionReason.ACCEPTED.value,
        message="All is well.",
        last_transition_time=_WHEN,
        observed_generation=3,
    )
    status = ExtAuthPolicyStatus(
        common=CommonStatus(
            state=State(approval=Approval.ACCEPTED.value, observed_generation=3), workspace_conditions={"ACCEPTED": 1}
        ),
        observed_generation=3,
        conditions=(accepted,),
        num_selected_routes=2,
        keys=KeyCounts(usable=4, rejected=1, expiring_soon=1, rejected_reasons={"BadSecret": 1}),
    )

    assert status.as_manifest() == {
        "common": {
            "State": {"approval": "ACCEPTED", "message": "", "observedGeneration": 3},
            "workspaceConditions": {"ACCEPTED": 1},
        },
        "observedGeneration": 3,
        "conditions": [
            {
                "type": "Accepted",
                "status": "True",
                "reason": "Accepted",
                "message": "All is well.",
                "lastTransitionTime": _WHEN,
                "observedGeneration": 3,
            }
        ],
        "numSelectedRoutes": 2,
        "keys": {"usable": 4, "rejected": 1, "duplicate": 0, "expiringSoon": 1, "rejectedReasons": {"BadSecret": 1}},
    }


def test_unknown_verdict_is_refused() -> None:
    with pytest.raises(ValidationError):
        State.model_validate({"approval": "FINE"})


@pytest.mark.parametrize("reason", ["", "two words", "1st"])
def test_reason_that_kubernetes_refuses_is_refused_here(reason: str) -> None:
    with pytest.raises(ValidationError):
        Condition(type="Ready", status="True", reason=reason, message="", last_transition_time=_WHEN)
