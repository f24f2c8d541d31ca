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


def test_changes_soon_after_a_round_wait_until_it_is_quiet() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.01)
        time.plan = [(100.04, trigger.mark), (100.06, trigger.mark)]
        first = await trigger.wait()
        assert (100.01, 100.11) == (first, round(time.now, 3))

    asyncio.run(scenario())


def test_constant_change_is_not_held_up_longer_than_a_quarter_of_a_second() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.01)
        time.plan = [(100.01 + n * 0.02, trigger.mark) for n in range(1, 40)]
        await trigger.wait()
        assert 100.26 == round(time.now, 3)

    asyncio.run(scenario())


def test_change_during_a_round_starts_another_one() -> None:
    async def scenario() -> None:
        time = Time()
        trigger = await marked_after_a_round(time, at=100.3)
        async with asyncio.timeout(1):
            assert 100.3 == await trigger.wait()

    asyncio.run(scenario())
