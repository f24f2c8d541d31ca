"""Rounds start at once after rest and are joined in bursts, by a clock that the tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from wardgate.control.trigger import Trigger


class Time:
    """``sleep`` moves the clock itself; what should happen meanwhile is in ``plan``, by time."""

    def __init__(self) -> None:
        self.now = 100.0
        self.plan: list[tuple[float, Callable[[], None]]] = []

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.plan and self.plan[0][0] <= until:
            self.now, action = self.plan.pop(0)
            action()
        self.now = max(self.now, until)


def trigger_with(time: Time) -> Trigger:
    return Trigger(clock=lambda: time.now, sleep=time.sleep)


async def marked_after_a_round(time: Time, *, at: float) -> Trigger:
    """A trigger whose first round is over, and that something changed again."""
    trigger = trigger_with(time)
    trigger.mark()
    await trigger.wait()
    time.now = at
    trigger.mark()
    return trigger


async def rounds_of(count: int, trigger: Trigger, time: Time) -> list[float]:
    """When so many rounds are due, in seconds from now, while what is planned happens."""
    began = time.now
    rounds: list[float] = []
    for _ in range(count):
        await time.sleep(0.01 if rounds else 0.0)
        await trigger.wait()
        rounds.append(round(time.now - began, 3))
    return rounds


def test_first_change_after_rest_goes_at_once() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = trigger_with(time)
        trigger.mark()
        assert 100.0 == await trigger.wait()
        assert 100.0 == time.now
        time.now = 100.1
        trigger.mark()
        await trigger.wait()
        assert 100.1 == time.now

    asyncio.run(scenario())


def test_changes_soon_after_a_round_are_joined_until_the_gap_to_it_is_over() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.01)
        time.plan = [(100.02, trigger.mark), (100.04, trigger.mark), (100.06, trigger.mark)]
        assert 100.01 == await trigger.wait()
        assert 100.05 == round(time.now, 3)

    asyncio.run(scenario())


def test_changes_in_a_long_burst_wait_no_longer_than_until_it_is_quiet() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.01)
        await trigger.wait()
        time.now = 100.06
        trigger.mark()
        await trigger.wait()
        assert 100.11 == round(time.now, 3)

    asyncio.run(scenario())


def test_constant_change_is_joined_for_longer_and_longer_up_to_a_quarter_of_a_second() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = trigger_with(time)
        time.plan = [(100.0 + number * 0.01, trigger.mark) for number in range(200)]
        assert [0.0, 0.05, 0.15, 0.35, 0.6, 0.85, 1.1] == await rounds_of(7, trigger, time)

    asyncio.run(scenario())


def test_after_a_rest_the_next_burst_begins_anew() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = trigger_with(time)
        for start in (100.0, 110.0):
            time.now = start
            time.plan = [(start + number * 0.01, trigger.mark) for number in range(16)]
            assert [0.0, 0.05, 0.15] == await rounds_of(3, trigger, time)

    asyncio.run(scenario())


def test_change_during_a_round_starts_another_one() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.3)
        async with asyncio.timeout(1):
            assert 100.3 == await trigger.wait()

    asyncio.run(scenario())
