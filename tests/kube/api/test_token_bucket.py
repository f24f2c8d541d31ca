"""A burst at once, then an even flow; what is not used is saved up to the burst."""

from __future__ import annotations

import pytest

from wardgate.kube.api.token_bucket import TokenBucket


def test_burst_is_free_and_the_next_one_waits() -> None:
    bucket = TokenBucket(rate=10.0, burst=3)

    assert [0.0, 0.0, 0.0, 0.1] == pytest.approx([bucket.take(5.0) for _ in range(4)])


@pytest.mark.parametrize("rate", [3.0, 7.0, 20.0])
def test_waiting_as_long_as_told_is_enough(rate: float) -> None:
    bucket = TokenBucket(rate=rate, burst=1)
    now = 1000.0
    bucket.take(now)
    for _ in range(1000):
        now += bucket.take(now)
        assert 0.0 == bucket.take(now)

    assert pytest.approx(1000 / rate) == now - 1000.0


def test_refusal_costs_nothing() -> None:
    bucket = TokenBucket(rate=1.0, burst=1)
    bucket.take(0.0)
    for _ in range(10):
        bucket.take(0.5)

    assert 0.0 == bucket.take(1.0)


def test_no_more_than_the_burst_is_saved_up() -> None:
    bucket = TokenBucket(rate=1.0, burst=2)
    bucket.take(0.0)

    assert [True, True, False] == [bucket.take(1_000_000.0) == 0.0 for _ in range(3)]
