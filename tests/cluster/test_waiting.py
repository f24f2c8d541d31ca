"""A wait ends with what was waited for, or says what was seen instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.waiting import wait_until


def test_first_true_answer_is_given() -> None:
    answers = iter(["", None, "here"])

    assert "here" == wait_until(lambda: next(answers), seconds=5, what="something")


def test_assertion_is_no_answer_yet() -> None:
    answers = iter([False, True])

    def probe() -> str:
        assert next(answers), "not yet"
        return "here"

    assert "here" == wait_until(probe, seconds=5, what="something")


def test_entry_that_is_not_there_is_no_answer_yet() -> None:
    pages: Iterator[dict[str, str]] = iter([{}, {"problem": "here"}])

    assert "here" == wait_until(lambda: next(pages)["problem"], seconds=5, what="something")


def test_time_limit_says_what_was_waited_for_and_seen() -> None:
    with pytest.raises(AssertionError, match=r"Not within 0 s: the key is refused\. The last answer was: 0"):
        wait_until(lambda: 0, seconds=0, what="the key is refused")


def test_other_errors_are_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 // 0, seconds=5, what="the impossible")
