"""An amount that callers share: nobody holds more than its part of it."""

from __future__ import annotations

import pytest

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.downstream.collector import Collector


def test_holder_gets_its_share_and_not_one_more() -> None:
    budget = Budget(100, percent=25)
    assert [budget.take("a", 24), budget.take("a"), budget.take("a")] == [None, None, ReplyReason.CALLER_OVER_SHARE]
    assert (budget.total, budget.take("b", 25)) == (25, None)
    budget.give_back("a", 5)
    assert budget.take("a", 5) is None


def test_budget_that_is_used_up_refuses_everybody() -> None:
    budget = Budget(100, percent=25)
    assert [budget.take(holder, 25) for holder in range(4)] == [None] * 4
    assert budget.take(4) is ReplyReason.OVERLOAD


@pytest.mark.parametrize(
    ("limit", "percent", "at_least", "share"),
    [(100, 25, 1, 25), (3, 25, 1, 1), (100, 25, 40, 40), (100, 25, 200, 100), (100, 100, 1, 100)],
)
def test_share_is_part_of_the_limit_and_never_less_than_is_needed(
    limit: int, percent: int, at_least: int, share: int
) -> None:
    assert Budget(limit, percent=percent, at_least=at_least).share == share


def test_who_holds_nothing_is_forgotten() -> None:
    budget = Budget(100, percent=25)
    for holder in range(1000):
        budget.take(holder, 5)
        budget.give_back(holder, 5)
    assert (budget.total, budget._held) == (0, {})


def test_charge_passes_to_another_holder_if_it_has_room() -> None:
    budget = Budget(100, percent=25)
    budget.take("address", 10)
    budget.take("key", 20)
    assert budget.pass_on(10, giver="address", taker="key") is ReplyReason.CALLER_OVER_SHARE
    assert budget.pass_on(5, giver="address", taker="key") is None
    assert (budget.total, budget._held) == (30, {"address": 5, "key": 25})


def test_collected_body_is_charged_until_it_is_released() -> None:
    budget = Budget(100, percent=50)
    collector = Collector(budget, most=30)
    assert [collector.charge_to("address"), collector.add(b"ab"), collector.add(b"cd")] == [None] * 3
    assert collector.charge_to("key") is None
    assert (collector.take(), collector.take(), budget._held) == (b"abcd", b"", {"key": 4})
    assert collector.add(b"x" * 31) is ReplyReason.BODY_TOO_LARGE
    collector.drop()
    collector.release()
    collector.release()
    assert budget._held == {}


def test_collected_body_of_many_tiny_pieces_takes_no_more_than_its_bytes() -> None:
    collector = Collector(Budget(10**6, percent=100), most=10**6)
    for _ in range(100_000):
        collector.add(b"ab")
    assert collector._data.__sizeof__() < 250_000
