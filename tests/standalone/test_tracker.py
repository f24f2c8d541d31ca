"""Every problem is told once when it appears and once when it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wardgate.problems import Reason
from wardgate.standalone.findings.diagnostics import Diagnostic, Severity
from wardgate.standalone.findings.tracker import DiagnosticChanges, DiagnosticTracker

PROBLEM = Diagnostic("error", "a.yaml", 3, 1, "Secret a/b", "data", Reason.BAD_SECRET, "It is bad.")


def test_problem_is_told_once() -> None:
    tracker = DiagnosticTracker()

    assert DiagnosticChanges((PROBLEM,), ()) == tracker.update([PROBLEM])
    assert DiagnosticChanges((), ()) == tracker.update([PROBLEM])


def test_problem_whose_line_moved_is_the_same_one() -> None:
    tracker = DiagnosticTracker()
    tracker.update([PROBLEM])

    assert DiagnosticChanges((), ()) == tracker.update([replace(PROBLEM, line=7, remedy="Mend it.")])


def test_problem_that_is_gone_is_told_where_it_was_last() -> None:
    tracker = DiagnosticTracker()
    tracker.update([PROBLEM])
    moved = replace(PROBLEM, line=7)
    tracker.update([moved])

    assert DiagnosticChanges((), (moved,)) == tracker.update([])


def test_problem_that_comes_back_is_told_again() -> None:
    tracker = DiagnosticTracker()
    tracker.update([PROBLEM])
    tracker.update([])

    assert DiagnosticChanges((PROBLEM,), ()) == tracker.update([PROBLEM])


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_lesser_problem_of_an_object_with_an_error_is_only_out_of_sight(severity: Severity) -> None:
    tracker = DiagnosticTracker()
    warning = replace(PROBLEM, severity=severity, message="It is odd.")
    tracker.update([warning])

    assert DiagnosticChanges((PROBLEM,), ()) == tracker.update([PROBLEM])
    assert DiagnosticChanges((), (PROBLEM,)) == tracker.update([warning])
    assert DiagnosticChanges((), (warning,)) == tracker.update([])


def test_problem_that_is_told_with_its_cause_is_not_resolved() -> None:
    tracker = DiagnosticTracker()
    consequence = replace(PROBLEM, object="RouteTable a/b", message="It is not served.")
    cause = replace(PROBLEM, consequences=(consequence,))
    tracker.update([consequence])

    assert DiagnosticChanges((cause,), ()) == tracker.update([cause])
    assert DiagnosticChanges((), (cause,)) == tracker.update([consequence])
    assert DiagnosticChanges((), (consequence,)) == tracker.update([])
