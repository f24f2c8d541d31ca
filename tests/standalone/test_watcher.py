"""When the folder is looked at again, by a clock that is turned by hand."""

from __future__ import annotations

import asyncio

from wardgate.standalone.scan.watcher import PollPace, Watcher


class World:
    """A folder's state over time. ``events`` change it at given seconds; a look costs ``cost``."""

    def __init__(self, *, cost: float = 0.0) -> None:
        self.now = 0.0
        self.cost = cost
        self.state: object = "start"
        self.events: list[tuple[float, object]] = []
        self.sleeps: list[float] = []

    def look(self) -> object:
        self.now += self.cost
        while self.events and self.events[0][0] <= self.now:
            self.state = self.events.pop(0)[1]
        return self.state

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds
        if self.now > 1000:
            raise TimeoutError

    def watcher(self, pace: PollPace | None = None) -> Watcher:
        return Watcher(self.look, clock=self.clock, sleep=self.sleep, pace=pace)


def wait_for(watcher: Watcher) -> float:
    return asyncio.run(watcher.changed())


def test_change_is_noticed_within_a_twentieth_of_a_second() -> None:
    world = World()
    watcher = world.watcher()
    world.events = [(1.0, "changed")]
    noticed = wait_for(watcher)

    assert 1.0 <= noticed <= 1.05
    assert world.now - noticed <= 0.041


def test_change_between_two_waits_is_not_missed() -> None:
    world = World()
    watcher = world.watcher()
    world.events = [(0.1, "one")]
    wait_for(watcher)
    world.events = [(world.now, "two")]
    world.now += 5

    assert world.now + 0.06 > wait_for(watcher)


def test_files_that_are_replaced_in_several_steps_are_read_once_still() -> None:
    world = World()
    watcher = world.watcher()
    world.events = [(1.0, "moved away"), (1.03, "half written"), (1.06, "written")]
    noticed = wait_for(watcher)

    assert "written" == world.state
    assert world.now - noticed < 0.13


def test_folder_that_never_becomes_still_is_read_nevertheless() -> None:
    world = World()
    watcher = world.watcher()
    world.events = [(1.0 + step / 100, step) for step in range(1000)]
    noticed = wait_for(watcher)

    assert world.now - noticed <= 0.15


def test_second_look_follows_a_change_once() -> None:
    world = World()
    watcher = world.watcher()
    world.events = [(1.0, "changed")]
    first = wait_for(watcher)
    second = wait_for(watcher)
    world.events = [(500.0, "later")]
    third = wait_for(watcher)

    assert 2.1 <= second - first <= 2.3
    assert 500.0 <= third <= 500.1


def test_large_folder_is_looked_at_less_often() -> None:
    world = World(cost=0.03)
    watcher = world.watcher()
    world.events = [(3.0, "changed")]
    wait_for(watcher)

    assert 0.29 < world.sleeps[0] < 0.31


def test_interval_stays_below_its_bound() -> None:
    world = World(cost=5.0)
    watcher = world.watcher(PollPace(longest=2.0))
    world.events = [(30.0, "changed")]
    wait_for(watcher)

    assert 2.0 == max(world.sleeps)
