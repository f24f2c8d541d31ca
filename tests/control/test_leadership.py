"""One term after another: when each begins, what ends it, and what comes after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import NoReturn, cast

import pytest

from wardgate.control.leadership import Duties, Leadership
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.lease import Lease
from wardgate.kube.lead.term import Term
from wardgate.tasks import spawn


@dataclass
class World:
    """Plays a Lease that is ours as long as nobody ends it, and everything that lives in a term; keeps a log."""

    log: list[str] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    taking_over: asyncio.Event = field(default_factory=asyncio.Event)
    may_take_over: asyncio.Event = field(default_factory=asyncio.Event)
    part: Callable[[], Coroutine[object, object, object]] | None = None
    """In the place of ``work``."""

    # The Lease.

    async def run(self, lead: Callable[[], Awaitable[None]]) -> NoReturn:
        leading = spawn(_led(lead), name="leading")
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            leading.cancel()
            await asyncio.wait({leading})

    async def release(self) -> None:
        self.log.append("release")

    # The terms.

    def duties(self, term: Term) -> Duties:
        self.terms.append(term)
        return Duties(self.take_over, {"work": self.work if self.part is None else self.part})

    async def take_over(self) -> None:
        self.log.append("take over")
        self.taking_over.set()
        await self.may_take_over.wait()
        if self.failures:
            raise self.failures.pop(0)

    async def work(self) -> NoReturn:
        self.log.append("work")
        self.begun.set()
        try:
            await asyncio.Event().wait()
            raise AssertionError
        finally:
            await asyncio.sleep(0)
            self.log.append("end")

    async def works(self) -> Term:
        """Wait for the next term to begin its work."""
        await self.begun.wait()
        self.begun.clear()
        return self.terms[-1]


async def _led(lead: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await lead()
        except KubeError:
            await asyncio.sleep(0)


def leadership_of(world: World) -> Leadership:
    return Leadership(cast("Lease", world), identity="operator-a", duties=world.duties, timing=Timing())


def run(scenario: Callable[[World, Leadership], Awaitable[None]]) -> World:
    async def main() -> World:
        world = World()
        world.may_take_over.set()
        async with asyncio.timeout(10):
            await scenario(world, leadership_of(world))
        return world

    return asyncio.run(main())


def test_follower_takes_no_part() -> None:
    leadership = leadership_of(World())
    assert (False, False) == (leadership.takes_part, leadership.is_leading)


def test_term_ends_before_the_lease_is_set_free() -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        task = spawn(leadership.run(), name="leadership")
        await world.works()
        assert (True, True) == (leadership.takes_part, leadership.is_leading)
        task.cancel()
        await asyncio.wait({task})
        assert (False, False) == (leadership.takes_part, leadership.is_leading)

    assert ["take over", "work", "end", "release"] == run(scenario).log


def test_replica_takes_part_while_it_takes_over_and_leads_only_then() -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        world.may_take_over.clear()
        task = spawn(leadership.run(), name="leadership")
        await world.taking_over.wait()
        assert (True, False) == (leadership.takes_part, leadership.is_leading)
        world.may_take_over.set()
        await world.works()
        assert (True, True) == (leadership.takes_part, leadership.is_leading)
        task.cancel()
        await asyncio.wait({task})

    run(scenario)


def test_deposed_leader_takes_over_again_in_another_term() -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        task = spawn(leadership.run(), name="leadership")
        first = await world.works()
        first.end(Deposed("Another one wrote."))
        second = await world.works()
        assert (True, False) == (first.is_over, second.is_over)
        task.cancel()
        await asyncio.wait({task})

    assert ["take over", "work", "end", "take over", "work", "end", "release"] == run(scenario).log


def test_part_that_finds_another_writer_is_told_of_and_followed_by_another_term(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        async def find_another() -> None:
            if len(world.terms) == 1:
                msg = "Secret wardgate-index was written by another operator."
                raise Deposed(msg)
            world.begun.set()

        world.part = find_another
        task = spawn(leadership.run(), name="leadership")
        await world.works()
        task.cancel()
        await asyncio.wait({task})

    assert ["take over", "take over", "release"] == run(scenario).log
    assert "was written by another operator. This replica holds the Lease and takes over again." in caplog.text


@pytest.mark.parametrize("failure", [KubeError("away"), Deposed("Others keep writing.")])
def test_take_over_that_fails_is_the_leases_to_try_again_in_another_term(
    failure: Exception,
) -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        world.failures = [failure]
        task = spawn(leadership.run(), name="leadership")
        await world.works()
        assert [True, False] == [term.is_over for term in world.terms]
        task.cancel()
        await asyncio.wait({task})

    assert ["take over", "take over", "work", "end", "release"] == run(scenario).log


def test_bug_in_a_part_ends_the_process_and_sets_the_lease_free() -> None:
    async def scenario(world: World, leadership: Leadership) -> None:
        async def stumble() -> None:
            await asyncio.sleep(0)
            raise KeyError

        world.part = stumble
        with pytest.raises(ExceptionGroup) as raised:
            await leadership.run()
        assert [KeyError] == [type(error) for error in raised.value.exceptions]

    assert ["take over", "release"] == run(scenario).log
