"""The upkeep of what is published: when it is vouched for, when old shards are deleted, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import cast

import pytest

from wardgate.control.upkeep import RENEW, SWEEP, Upkeep
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.publish.publisher import Publisher


class World:
    """Plays the publisher and its clock, until as many seconds as asked for have passed."""

    def __init__(self, *, seconds: float) -> None:
        self.left = seconds
        self.is_live = True
        self.is_in_order = True
        self.failures: list[Exception] = []
        self.log: list[str] = []
        timing = Timing(clock=lambda: 0.0, sleep=self.sleep)
        publisher = cast("Publisher", self)
        self.upkeep = Upkeep(publisher, is_live=lambda: self.is_live, wake=self.wake, timing=timing)

    async def sleep(self, seconds: float) -> None:
        self.left -= seconds
        if self.left < 0:
            raise asyncio.CancelledError

    async def renew(self) -> bool:
        self.log.append("renew")
        if self.failures:
            raise self.failures.pop(0)
        return self.is_in_order

    @property
    def in_use(self) -> frozenset[str]:
        """The first thing that a sweep asks for."""
        self.log.append("sweep")
        if self.failures:
            raise self.failures.pop(0)
        return frozenset()

    @property
    def inventory(self) -> World:
        return self

    shards: tuple[object, ...] = ()

    def wake(self) -> None:
        self.log.append("wake")

    def run(self, work: Callable[[], Coroutine[object, object, object]]) -> list[str]:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(_to_the_end(work))
        return self.log


async def _to_the_end(work: Callable[[], Coroutine[object, object, object]]) -> None:
    await work()


def test_what_is_published_is_vouched_for_every_fifteen_seconds() -> None:
    world = World(seconds=4 * RENEW)
    assert ["renew"] * 4 == world.run(world.upkeep.renew_for_ever)


def test_nobody_vouches_while_a_watch_may_be_stale() -> None:
    world = World(seconds=4 * RENEW)
    world.is_live = False
    assert [] == world.run(world.upkeep.renew_for_ever)


def test_publish_is_due_where_nobody_can_vouch() -> None:
    world = World(seconds=RENEW)
    world.is_in_order = False
    assert ["renew", "wake"] == world.run(world.upkeep.renew_for_ever)


def test_old_shards_are_looked_for_every_five_seconds() -> None:
    world = World(seconds=3 * SWEEP)
    assert ["sweep"] * 3 == world.run(world.upkeep.sweep_for_ever)


@pytest.mark.parametrize("sweeps", [True, False])
def test_api_server_that_is_away_is_told_and_asked_again(*, sweeps: bool, caplog: pytest.LogCaptureFixture) -> None:
    world = World(seconds=2 * (SWEEP if sweeps else RENEW))
    world.failures = [ConnectionFailed("away")]
    assert len(world.run(world.upkeep.sweep_for_ever if sweeps else world.upkeep.renew_for_ever)) == 2
    told = "Old shards could not be deleted: away" if sweeps else "verifiedAt could not be renewed: away"
    assert 1 == caplog.text.count(told)


@pytest.mark.parametrize("sweeps", [True, False])
def test_write_of_another_replica_ends_the_term(*, sweeps: bool) -> None:
    world = World(seconds=60.0)
    world.failures = [Deposed("Another one wrote.")]
    with pytest.raises(Deposed, match="Another one wrote"):
        asyncio.run(_to_the_end(world.upkeep.sweep_for_ever if sweeps else world.upkeep.renew_for_ever))
