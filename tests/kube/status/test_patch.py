"""A patch touches what is ours and what differs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from wardgate.kube.status.patch import as_kept, difference

_KIND = "ExtAuthPolicy"


def _condition(kind: str, status: str = "True", **more: object) -> dict[str, object]:
    return {"type": kind, "status": status, **more}


def _wanted(**more: object) -> dict[str, Any]:
    return {
        "common": {"State": {"approval": "ACCEPTED", "message": ""}},
        "conditions": [_condition("Accepted"), _condition("Programmed"), _condition("Ready")],
        **more,
    }


def test_equal_statuses_need_no_patch() -> None:
    assert difference(_KIND, held=_wanted(), wanted=_wanted()) == {}


def test_first_status_is_sent_whole() -> None:
    assert difference(_KIND, held={}, wanted=_wanted(numSelectedRoutes=0)) == _wanted(numSelectedRoutes=0)


def test_only_what_differs_is_sent() -> None:
    held = _wanted(numSelectedRoutes=1, keys={"usable": 1, "rejected": 0})

    assert {"keys": {"usable": 2}} == difference(
        _KIND, held=held, wanted=_wanted(numSelectedRoutes=1, keys={"usable": 2, "rejected": 0})
    )


def test_fields_that_vanish_are_removed() -> None:
    held = _wanted(numSelectedRoutes=1, keys={"usable": 1, "rejectedReasons": {"BadSecret": 1, "TooLarge": 1}})
    wanted = _wanted(keys={"usable": 1, "rejectedReasons": {"BadSecret": 1}})

    assert {"numSelectedRoutes": None, "keys": {"rejectedReasons": {"TooLarge": None}}} == difference(
        _KIND, held=held, wanted=wanted
    )


def test_claims_of_an_earlier_controller_are_removed_from_our_fields() -> None:
    held = _wanted()
    held["common"] = {**held["common"], "workspaceConditions": {"ACCEPTED": 1}}

    assert {"common": {"workspaceConditions": None}} == difference(_KIND, held=held, wanted=_wanted())


def test_fields_of_others_are_left_alone() -> None:
    assert difference(_KIND, held=_wanted(reports={"x": 1}), wanted=_wanted()) == {}


def test_conditions_of_others_are_sent_along() -> None:
    foreign = _condition("Reconciled", "False")
    held = {"conditions": [foreign, _condition("Accepted", "False")]}
    wanted = {"conditions": [_condition("Accepted")]}

    assert {"conditions": [_condition("Accepted"), foreign]} == difference(_KIND, held=held, wanted=wanted)


def test_condition_of_ours_that_is_over_goes() -> None:
    held = {"conditions": [_condition("Accepted", "False"), _condition("Stalled")]}
    wanted = {"conditions": [_condition("Accepted")]}

    assert wanted == difference(_KIND, held=held, wanted=wanted)


def test_order_of_conditions_is_no_difference() -> None:
    held = _wanted()
    held["conditions"] = [_condition("Mine"), *reversed(held["conditions"])]

    assert difference(_KIND, held=held, wanted=_wanted()) == {}


@pytest.mark.parametrize("conditions", [None, "x", 7, {"a": 1}])
def test_conditions_of_another_form_are_replaced(conditions: object) -> None:
    wanted = _wanted()

    assert {"conditions": wanted["conditions"]} == difference(
        _KIND, held={**_wanted(), "conditions": conditions}, wanted=wanted
    )


def test_scalar_where_a_map_is_wanted_is_replaced() -> None:
    assert {"keys": {"usable": 1}} == difference(_KIND, held={"keys": 3}, wanted={"keys": {"usable": 1}})


@pytest.mark.parametrize(
    "returned",
    [
        pytest.param({}, id="no status at all"),
        pytest.param({"common": _wanted()["common"]}, id="no conditions"),
        pytest.param({"common": _wanted()["common"], "conditions": [{}, {}, {}]}, id="hollow conditions"),
        pytest.param(_wanted(), id="no reasons"),
    ],
)
def test_what_was_dropped_once_is_no_difference_again(returned: dict[str, Any]) -> None:
    sent, wanted = _wanted(), _wanted()
    for status, reason in ((sent, "Old"), (wanted, "New")):
        for one in status["conditions"]:
            one["reason"] = reason
    kept = as_kept(wanted, sent=sent, returned=returned)

    assert difference(_KIND, held=returned, wanted=kept) == {}


def test_what_the_server_keeps_is_a_difference() -> None:
    sent, returned = _wanted(numSelectedRoutes=1), {"numSelectedRoutes": 1}
    kept = as_kept(_wanted(numSelectedRoutes=2), sent=sent, returned=returned)

    assert {"numSelectedRoutes": 2} == difference(_KIND, held=returned, wanted=kept)


def test_field_that_was_not_sent_before_is_not_taken_for_dropped() -> None:
    kept = as_kept({"a": 1, "b": 2}, sent={"a": 1}, returned={"a": 1})

    assert {"a": 1, "b": 2} == kept
