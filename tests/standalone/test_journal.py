"""Every problem is told once when it appears and once when it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wardgate.problems import Reason
from wardgate.standalone.diagnostics import Diagnostic, Severity
from wardgate.standalone.journal import Changes, Journal

PROBLEM = Diagnostic("error", "a.yaml", 3, 1, "Secret a/b", "data", Reason.BAD_SECRET, "It is bad.")


def test_problem_is_told_once() -> None:
    journal = Journal()

    assert Changes((PROBLEM,), ()) == journal.update([PROBLEM])
    assert Changes((), ()) == journal.update([PROBLEM])


def test_problem_whose_line_moved_is_the_same_one() -> None:
    journal = Journal()
    journal.update([PROBLEM])

    assert Changes((), ()) == journal.update([replace(PROBLEM, line=7, remedy="Mend it.")])


def test_problem_that_is_gone_is_told_where_it_was_last() -> None:
    journal = Journal()
    journal.update([PROBLEM])
    moved = replace(PROBLEM, line=7)
    journal.update([moved])

    assert Changes((), (moved,)) == journal.update([])


def test_problem_that_comes_back_is_told_again() -> None:
    journal = Journal()
    journal.update([PROBLEM])
    journal.update([])

    assert Changes((PROBLEM,), ()) == journal.update([PROBLEM])


@pytest.mark.parametrize("severity", ["warning", "note"])
def test_lesser_problem_of_an_object_with_an_error_is_only_out_of_sight(severity: Severity) -> None:
    journal = Journal()
    warning = replace(PROBLEM, severity=severity, message="It is odd.")
    journal.update([warning])

    assert Changes((PROBLEM,), ()) == journal.update([PROBLEM])
    assert Changes((), (PROBLEM,)) == journal.update([warning])
    assert Changes((), (warning,)) == journal.update([])


def test_problem_that_is_told_with_its_cause_is_not_resolved() -> None:
    journal = Journal()
    consequence = replace(PROBLEM, object="RouteTable a/b", message="It is not served.")
    cause = replace(PROBLEM, consequences=(consequence,))
    journal.update([consequence])

    assert Changes((cause,), ()) == journal.update([cause])
    assert Changes((), (cause,)) == journal.update([consequence])
    assert Changes((), (consequence,)) == journal.update([])
