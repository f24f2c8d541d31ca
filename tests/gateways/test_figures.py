"""Statistics of rounds, and prices."""

from __future__ import annotations

import random

import pytest

from benchmarks.gateways.figures import Spread, differences, percentile, ratios, usd_per_million
from benchmarks.gateways.outcome import Goal
from benchmarks.gateways.rounds import interleaved


def test_a_spread_has_median_lowest_and_highest() -> None:
    assert Spread(median=2.5, lowest=1.0, highest=9.0) == Spread.of([9.0, 2.0, 1.0, 3.0])


def test_no_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sample"):
        Spread.of([])


def test_ratios_and_differences_are_those_of_one_round() -> None:
    assert [0.5, 2.0] == ratios([1.0, 4.0], [2.0, 2.0])
    assert [-1.0, 2.0] == differences([1.0, 4.0], [2.0, 2.0])


def test_samples_of_unequal_rounds_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 4.0], [2.0])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    assert value == percentile(random.Random(1).sample(range(1, 101), 100), share)


def test_a_percentile_of_one_sample_is_that_sample() -> None:
    assert 7 == percentile([7], 0.99)


def test_a_million_requests_of_36_microseconds_take_a_hundredth_of_an_hour() -> None:
    assert 0.0004 == pytest.approx(usd_per_million(36, 0.0))


def test_memory_is_priced_for_as_long_as_the_requests_take() -> None:
    gigabyte = 1e9 / 1024**3

    assert 0.00045 == pytest.approx(usd_per_million(36, gigabyte))


@pytest.mark.parametrize(("bound", "met"), [(2.0, True), (1.9, False)])
def test_a_goal_is_about_the_median(*, bound: float, met: bool) -> None:
    assert met == Goal(bound).is_met_by(Spread(2.0, 1.0, 9.0))


@pytest.mark.parametrize(("bound", "met"), [(2.0, True), (2.1, False)])
def test_a_goal_may_be_a_lower_bound(*, bound: float, met: bool) -> None:
    assert met == Goal(bound, "at least").is_met_by(Spread(2.0, 1.0, 9.0))


@pytest.mark.parametrize(("bound", "met"), [(9.0, True), (8.9, False)])
def test_a_goal_may_be_about_the_highest_value(*, bound: float, met: bool) -> None:
    assert met == Goal(bound, worst=True).is_met_by(Spread(2.0, 1.0, 9.0))


def test_every_contender_has_its_turn_in_every_round_in_a_drawn_order() -> None:
    turns: list[str] = []

    def measure(contender: str) -> int:
        turns.append(contender)
        return len(turns)

    samples = interleaved(("a", "b", "c"), 20, measure, chance=random.Random(7))
    rounds = [tuple(turns[start : start + 3]) for start in range(0, 60, 3)]

    assert {("a", "b", "c")} == {tuple(sorted(each)) for each in rounds}
    assert 1 < len(set(rounds))
    assert [turns.index("a") + 1, 20] == [samples["a"][0], len(samples["a"])]
