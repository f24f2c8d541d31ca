"""One finding for each cause, and no error hidden below something that weighs less."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from wardgate.problems import Cause, FieldPath, ObjectRef, Reason
from wardgate.standalone.findings.cause_groups import Finding, grouped_by_cause
from wardgate.standalone.findings.diagnostics import Diagnostic, Severity

_ROOT = ObjectRef("RouteTable", "a", "root")
_GATEWAY = ObjectRef("VirtualGateway", "a", "gone")
_GATEWAYS: FieldPath = ("spec", "virtualGateways")


def _told(
    line: int,
    severity: Severity,
    *,
    ref: ObjectRef | None = None,
    field: FieldPath = (),
    cause: Cause | None = None,
    reason: Reason = Reason.NOT_SERVED,
) -> Finding:
    named = str(ref or ObjectRef("RouteTable", "a", f"r{line}"))
    return Finding(Diagnostic(severity, "a.yaml", line, 1, named, "", reason, f"{line}."), field, cause)


def _shape(found: Sequence[Diagnostic]) -> list[tuple[int, list[int], list[int]]]:
    return [(one.line, [own.line for own in one.alike], [own.line for own in one.consequences]) for one in found]


def test_consequences_go_with_their_cause_however_far_away() -> None:
    told = [
        _told(1, "error", ref=_ROOT, field=(*_GATEWAYS, 0)),
        _told(2, "warning", ref=ObjectRef("RouteTable", "a", "child"), cause=Cause(_ROOT, _GATEWAYS)),
        _told(3, "warning", cause=Cause(ObjectRef("RouteTable", "a", "child"))),
    ]

    assert [(1, [], [2, 3])] == _shape(grouped_by_cause(told))


def test_another_problem_of_the_same_object_is_not_the_cause() -> None:
    told = [
        _told(1, "error", ref=_ROOT, field=("spec", "http", 0)),
        _told(2, "warning", ref=_ROOT, field=(*_GATEWAYS, 0)),
        _told(3, "warning", cause=Cause(_ROOT, _GATEWAYS)),
    ]

    assert [(1, [], []), (2, [], [3])] == _shape(grouped_by_cause(told))


def test_what_is_missing_is_told_once_with_all_who_name_it() -> None:
    told = [_told(line, "error", cause=Cause(_GATEWAY)) for line in (1, 2, 3)]
    told.append(_told(4, "warning", cause=Cause(ObjectRef("RouteTable", "a", "r3"))))
    (found,) = grouped_by_cause(told)

    assert [(1, [2, 3], [4])] == _shape([found])
    assert str(found).endswith("1. [NotServed] ... on 3 objects and 1 consequence")


def test_problems_of_one_cause_with_another_reason_stay_apart() -> None:
    told = [
        _told(1, "error", cause=Cause(_GATEWAY)),
        _told(2, "error", cause=Cause(_GATEWAY), reason=Reason.BAD_SECRET),
    ]

    assert [(1, [], []), (2, [], [])] == _shape(grouped_by_cause(told))


def test_no_error_goes_with_a_warning() -> None:
    told = [_told(1, "warning", ref=_ROOT), _told(2, "error", cause=Cause(_ROOT)), _told(3, "note", cause=Cause(_ROOT))]

    assert [(1, [], [3]), (2, [], [])] == _shape(grouped_by_cause(told))


def test_nothing_without_a_cause_goes_with_anything() -> None:
    told = [_told(1, "error", ref=_ROOT), _told(2, "error", ref=_ROOT), _told(3, "note", ref=_ROOT)]

    assert [(1, [], []), (2, [], []), (3, [], [])] == _shape(grouped_by_cause(told))


def test_causes_in_a_circle_are_one_finding() -> None:
    one, other = ObjectRef("RouteTable", "a", "r1"), ObjectRef("RouteTable", "a", "r2")
    told = [
        _told(1, "error", cause=Cause(other)),
        _told(2, "error", cause=Cause(one)),
        _told(3, "note", cause=Cause(one)),
    ]

    assert [(1, [], [2, 3])] == _shape(grouped_by_cause(told))


def test_order_decides_nothing() -> None:
    told = [
        _told(1, "error", ref=_ROOT, field=_GATEWAYS, cause=Cause(_GATEWAY)),
        _told(2, "error", cause=Cause(_GATEWAY)),
        _told(3, "warning", cause=Cause(_ROOT, _GATEWAYS)),
        _told(4, "note", cause=Cause("cluster")),
        _told(5, "note", cause=Cause("cluster")),
    ]

    assert 1 == len({grouped_by_cause(order) for order in permutations(told)})


def test_one_object_that_is_told_twice_counts_as_twice() -> None:
    told = [_told(line, "note", ref=_ROOT, cause=Cause("cluster")) for line in (1, 2)]

    assert str(grouped_by_cause(told)[0]).endswith(" ... 2 times")
