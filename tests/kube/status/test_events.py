"""Events tell of turns: what is wrong is a Warning, and its end is told."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.kube.verdicts import NOON, POLICY, desired, manifest, verdict
from wardgate.api import Approval
from wardgate.kube.status.events import event_manifest, shortened, turn
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.statuses.object_status import ObjectStatus

_ACCEPTED = verdict()
_WARNING = verdict(Approval.WARNING, message="Field x has no effect.", reason="NoEffect")
_OPEN = verdict(Approval.WARNING, message="It guards nothing.", reason="NoRoutes")
_INVALID = verdict(Approval.INVALID, message="Template broken.")
_INVALID_TOO = verdict(Approval.INVALID, message="Regex broken.", reason="RegexError")
_CONFLICT = verdict(Approval.FAILED, message="An older policy has the route.")


def _stood(of: ObjectStatus) -> Any:
    return manifest(desired(of))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, _ACCEPTED, ("Normal", "Accepted", "ExtAuthPolicy team/apikey is accepted.")),
        (None, _WARNING, ("Warning", "NoEffect", "Field x has no effect.")),
        (_ACCEPTED, _WARNING, ("Warning", "NoEffect", "Field x has no effect.")),
        (_WARNING, _ACCEPTED, ("Normal", "Accepted", "NoEffect is resolved. ExtAuthPolicy team/apikey is accepted.")),
        (_WARNING, _OPEN, ("Warning", "NoRoutes", "NoEffect is resolved. It guards nothing.")),
        (None, _INVALID, ("Warning", "TemplateError", "Template broken.")),
        (None, _CONFLICT, ("Warning", "Conflicted", "An older policy has the route.")),
        (_ACCEPTED, _INVALID, ("Warning", "TemplateError", "Template broken.")),
        (
            _INVALID,
            _ACCEPTED,
            ("Normal", "Accepted", "TemplateError is resolved. ExtAuthPolicy team/apikey is accepted."),
        ),
        (_INVALID, _INVALID_TOO, ("Warning", "RegexError", "TemplateError is resolved. Regex broken.")),
        (
            _INVALID,
            _CONFLICT,
            ("Warning", "Conflicted", "TemplateError is resolved. An older policy has the route."),
        ),
    ],
)
def test_turn_is_told(before: ObjectStatus | None, after: ObjectStatus, expected: tuple[str, str, str]) -> None:
    told = turn(None if before is None else _stood(before), after)

    assert told is not None
    assert expected == (told.type, told.reason, told.note)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_ACCEPTED, verdict(generation=2)),
        (_WARNING, verdict(Approval.WARNING, message="Fields x and y have no effect.", reason="NoEffect")),
        (_INVALID, verdict(Approval.INVALID, message="Still broken.", generation=3)),
        (_CONFLICT, _CONFLICT),
        (None, verdict(Approval.PENDING, reason="Pending")),
    ],
)
def test_what_is_no_turn_is_not_told(before: ObjectStatus | None, after: ObjectStatus) -> None:
    assert turn(None if before is None else _stood(before), after) is None


def test_trouble_that_stays_behind_a_worse_one_is_not_called_resolved() -> None:
    stays = Problem(ProblemKind.WARNING, Reason.NO_EFFECT, "Field x has no effect.", POLICY)
    told = turn(_stood(_WARNING), replace(_OPEN, problems=(stays,)))

    assert told is not None
    assert "It guards nothing." == told.note


def test_trouble_that_only_a_note_is_left_of_is_resolved() -> None:
    left = Problem(ProblemKind.NOTE, Reason.NO_EFFECT, "Field x has no effect.", POLICY)
    told = turn(_stood(_WARNING), replace(_ACCEPTED, message="Field x has no effect.", problems=(left,)))

    assert told is not None
    assert ("Normal", "NoEffect is resolved. Field x has no effect.") == (told.type, told.note)


@pytest.mark.parametrize(
    "before", [{}, {"common": None}, {"common": {"State": None}}, {"common": {"State": {"approval": []}}}]
)
def test_status_of_another_form_says_nothing(before: dict[str, Any]) -> None:
    assert turn(before, _ACCEPTED) is not None


def test_status_without_our_conditions_says_what_it_can() -> None:
    stood = {"common": _stood(_INVALID)["common"], "conditions": [None, {"type": "Other"}]}

    assert turn(stood, _INVALID) is not None, "its reason is not known"
    assert turn({"common": _stood(_ACCEPTED)["common"]}, _ACCEPTED) is None


def test_event_has_all_that_the_api_server_asks_for() -> None:
    told = turn(None, _INVALID)
    assert told is not None

    assert {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "apikey.64bf535af1000", "namespace": "team"},
        "eventTime": "2026-03-01T12:00:00.000000Z",
        "reportingController": "wardgate.dev/operator",
        "reportingInstance": "wardgate-operator-x",
        "action": "Translate",
        "type": "Warning",
        "reason": "TemplateError",
        "note": "Template broken.",
        "regarding": {
            "apiVersion": "security.policy.gloo.solo.io/v2",
            "kind": "ExtAuthPolicy",
            "namespace": "team",
            "name": "apikey",
            "uid": "uid-1",
        },
    } == event_manifest(told, instance="wardgate-operator-x", now=NOON)


def test_name_of_an_event_is_legal_however_long_the_object_s_is() -> None:
    told = turn(None, verdict(ref=ObjectRef("ExtAuthPolicy", "team", "a" * 199 + "-" + "b" * 53)))
    assert told is not None
    name = event_manifest(told, instance="x", now=NOON)["metadata"]["name"]

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", name)
    assert len(name) <= 253


@pytest.mark.parametrize("note", ["x" * 1024, "ä" * 512])
def test_note_that_fits_stays(note: str) -> None:
    assert note == shortened(note)


@pytest.mark.parametrize("note", ["x" * 1025, "ä" * 513, "€" * 1000, "x" + "😀" * 300])
def test_note_is_cut_by_bytes_and_stays_text(note: str) -> None:
    short = shortened(note)

    assert 1015 <= len(short.encode()) <= 1024
    assert note.startswith(short.removesuffix(" …"))
    assert short.endswith(" …")


def test_note_holds_nothing_that_a_terminal_obeys() -> None:
    assert "host \\x1b[2Jexample\\u202e" == shortened("host \x1b[2Jexample\u202e")
    assert shortened("\x1b" * 1000).isprintable()
