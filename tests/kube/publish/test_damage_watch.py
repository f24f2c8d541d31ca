"""What someone else does to the config namespace is noticed, and nothing we do ourselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest

from tests.kube.fake_api_server import FakeClient, refused
from tests.kube.publishing import INDEX, World, bundle
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.api.list_watch import watch_from
from wardgate.kube.api.pacing import Timing
from wardgate.kube.publish.damage_watch import DamageWatch
from wardgate.kube.publish.publisher import Deposed, Publisher
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle

ONE = bundle(routes="routes 1", keys_000="keys 1")
TWO = bundle(routes="routes 1", keys_000="keys 2")


Act: TypeAlias = Callable[[World, Publisher], Awaitable[object] | None]
"""What someone does to a config that is in force."""


class Ended(Exception):
    """The guard has slept as often as the test wants it to."""


class Watched:
    """A guard whose watches end at once, so that each round lists anew; ``steady``: they last, and are resumed."""

    def __init__(self, publisher: Publisher, *, rounds: int = 1, steady: bool = False) -> None:
        self.woken = 0
        self.troubles: list[KubeError] = []
        self.slept: list[float] = []
        self._rounds = rounds
        self._seconds = 0.0
        self._step = 60.0 if steady else 0.0
        timing = Timing(clock=self._clock, sleep=self._sleep, random=lambda: 0.0)
        self.watch = DamageWatch(publisher, wake=self._wake, trouble=self.troubles.append, timing=timing)

    async def follow(self) -> None:
        """Until the last round."""
        with pytest.raises(Ended):
            await self.watch.follow()

    def _wake(self) -> None:
        self.woken += 1

    def _clock(self) -> float:
        self._seconds += self._step
        return self._seconds

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) >= self._rounds:
            raise Ended


async def after(act: Act) -> tuple[World, Publisher, Watched]:
    """A world with a config in force, something that happens in it, and a guard that looks at it afterwards."""
    world = World()
    publisher = await world.leader()
    await publisher.publish(ONE)
    await publisher.recount()
    happened = act(world, publisher)
    if happened is not None:
        await happened
    watched = Watched(publisher)
    await watched.follow()
    return world, publisher, watched


async def assert_repaired(act: Act, *, by: Bundle) -> Publisher:
    """The guard notices, and publishing what is current puts it in force."""
    world, publisher, watched = await after(act)
    assert watched.woken
    await publisher.publish(by)
    assert by == world.in_force()
    return publisher


async def deposed() -> tuple[World, Publisher]:
    """A leader that has published, and has not heard yet that another operator took over."""
    world = World()
    publisher = await world.leader("operator-a")
    await publisher.publish(ONE)
    await world.leader("operator-b")
    return world, publisher


def metadata_client(world: World, publisher: Publisher) -> FakeClient:
    """Make it list and watch by a client of ours, for faults."""
    metadata = FakeClient(world.api)
    publisher.secrets.client = metadata
    return metadata


def test_what_we_write_ourselves_wakes_nobody() -> None:
    async def scenario() -> None:
        _, _, watched = await after(lambda world, publisher: publisher.publish(TWO))
        assert 0 == watched.woken

    asyncio.run(scenario())


def test_deleted_index_is_repaired() -> None:
    async def scenario() -> None:
        publisher = await assert_repaired(lambda world, publisher: world.api.delete(INDEX), by=ONE)
        assert not publisher.is_damaged

    asyncio.run(scenario())


def test_deleted_shard_is_created_anew_under_another_name() -> None:
    async def scenario() -> None:
        world, publisher, watched = await after(lambda world, publisher: world.api.delete(world.shard_of("keys-000")))
        before = world.index()
        assert watched.woken
        assert 1 == (await publisher.publish(ONE)).created
        assert ONE == world.in_force()
        assert world.index().sequence > before.sequence
        assert before.shards[0].name != world.index().shards[0].name

    asyncio.run(scenario())


def test_shard_that_was_deleted_and_made_anew_counts_as_deleted() -> None:
    async def scenario() -> None:
        def swap(world: World, publisher: Publisher) -> None:
            path = world.shard_of("keys-000")
            other = world.api.get(path)
            world.api.delete(path)
            world.api.create(path.rpartition("/")[0], other)

        _, _, watched = await after(swap)
        assert watched.woken

    asyncio.run(scenario())


def test_shard_whose_labels_were_taken_away_is_created_anew() -> None:
    async def scenario() -> None:
        def unlabel(world: World, publisher: Publisher) -> None:
            path = world.shard_of("keys-000")
            shard = world.api.get(path)
            shard["metadata"]["labels"] = {}
            world.api.replace(path, shard)

        await assert_repaired(unlabel, by=ONE)

    asyncio.run(scenario())


def test_index_that_someone_rolled_back_is_repaired() -> None:
    async def scenario() -> None:
        async def roll_back(world: World, publisher: Publisher) -> None:
            old = world.api.get(INDEX)
            del old["metadata"]["resourceVersion"]
            await publisher.publish(TWO)
            world.api.replace(INDEX, old)

        await assert_repaired(roll_back, by=TWO)

    asyncio.run(scenario())


def test_index_with_a_label_more_is_left_alone() -> None:
    async def scenario() -> None:
        def label(world: World, publisher: Publisher) -> None:
            index = world.api.get(INDEX)
            index["metadata"]["labels"]["mine"] = "yes"
            world.api.replace(INDEX, index)

        _, publisher, watched = await after(label)
        assert 0 == watched.woken
        assert await publisher.renew()

    asyncio.run(scenario())


def test_other_writers_index_ends_the_guard() -> None:
    async def scenario() -> None:
        _, publisher = await deposed()
        with pytest.raises(Deposed):
            await Watched(publisher).watch.follow()

    asyncio.run(scenario())


def test_events_of_a_watch_are_enough() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        version = await publisher.recount()
        world.api.delete(world.shard_of("keys-000"))
        world.api.delete(INDEX)
        secrets = publisher.secrets
        async with watch_from(
            secrets.client, secrets.metadata, version=version, silence=1.0, random=lambda: 0.0
        ) as events:
            kinds = []
            async for event in events:
                kinds.append(event["type"])
                if event["type"] != "BOOKMARK":
                    await publisher.notice(event["type"], event["object"]["metadata"])
        assert ["DELETED", "DELETED", "BOOKMARK"] == kinds
        assert publisher.is_damaged
        await publisher.publish(ONE)
        assert ONE == world.in_force()

    asyncio.run(scenario())


def test_other_writers_index_in_a_watch_ends_leadership() -> None:
    async def scenario() -> None:
        world, publisher = await deposed()
        with pytest.raises(Deposed):
            await publisher.notice("MODIFIED", world.api.get(INDEX)["metadata"])
        with pytest.raises(Deposed):
            await publisher.publish(TWO)

    asyncio.run(scenario())


def test_event_of_our_own_write_that_comes_before_its_answer_asks_nobody() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(ONE)
        written = asyncio.Event()

        def tell(method: str, path: str) -> None:
            if method == "PUT":
                written.set()

        client.after = tell
        publishing = spawn(publisher.publish(TWO), name="publish")
        await written.wait()
        await publisher.notice("MODIFIED", world.api.get(INDEX)["metadata"])
        await publishing
        assert 0 == sum(request == "GET wardgate-index" for request in client.requests[1:])
        assert not publisher.is_damaged

    asyncio.run(scenario())


def test_watch_that_lasted_is_resumed_without_a_new_list() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        metadata = metadata_client(world, publisher)
        watches = 0

        def end_the_third(method: str, path: str) -> None:
            nonlocal watches
            watches += method == "WATCH"
            if watches == 3:
                raise ConnectionFailed("cut")

        metadata.before = end_the_third
        await Watched(publisher, rounds=3, steady=True).follow()
        assert ["LIST secrets", "WATCH secrets", "WATCH secrets", "WATCH secrets"] == metadata.requests

    asyncio.run(scenario())


def test_trouble_is_told_and_tried_again_more_and_more_slowly() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        metadata = metadata_client(world, publisher)

        def cut(method: str, path: str) -> None:
            raise ConnectionFailed("cut")

        metadata.before = cut
        watched = Watched(publisher, rounds=9)
        await watched.follow()
        assert ["cut"] * 9 == [str(trouble) for trouble in watched.troubles]
        assert [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == watched.slept

    asyncio.run(scenario())


def test_list_that_succeeds_ends_the_slowness_and_watches_that_end_at_once_bring_their_own() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        metadata = metadata_client(world, publisher)
        tried = 0

        def cut(method: str, path: str) -> None:
            nonlocal tried
            tried += method == "LIST"
            if tried not in {4, 5}:
                raise ConnectionFailed("cut")

        metadata.before = cut
        watched = Watched(publisher, rounds=7)
        await watched.follow()
        assert [0.05, 0.1, 0.2, 0.05, 0.1, 0.05, 0.1] == watched.slept

    asyncio.run(scenario())


def test_missing_right_is_told_once() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        metadata = metadata_client(world, publisher)

        def forbid(method: str, path: str) -> None:
            raise refused(403, "Forbidden")

        metadata.before = forbid
        watched = Watched(publisher, rounds=4)
        await watched.follow()
        assert ["403 Forbidden"] == [str(trouble) for trouble in watched.troubles]

    asyncio.run(scenario())


def test_version_that_is_no_longer_known_is_no_trouble() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        world.api.oldest = 10_000
        watched = Watched(publisher, rounds=2)
        await watched.follow()
        assert [] == watched.troubles

    asyncio.run(scenario())


def test_metadata_is_all_that_lists_and_watches_carry() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        listed, _ = await publisher.secrets.list()
        assert 3 == len(listed)
        assert not any("data" in one for one in listed)

    asyncio.run(scenario())
