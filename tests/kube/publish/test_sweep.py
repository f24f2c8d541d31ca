"""Which shards go, when, and that those in use never do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kube.fake_api_server import FakeClient, Killed, kill_at
from tests.kube.publishing import NAMESPACE, World, bundle, shard
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.publish.publisher import Publisher
from wardgate.kube.publish.sweep import ALLOWED, KEPT, PROTECTED, IdleShard, Sweeper, to_delete

MIB = 1024 * 1024

IDLE = st.lists(
    st.builds(IdleShard, st.uuids().map(str), st.integers(0, 8 * MIB), st.floats(0, 2000)),
    unique_by=lambda one: one.name,
    max_size=40,
)


@given(IDLE, st.floats(0, 3000))
def test_what_remains_is_small_or_protected_and_none_of_it_old(idle: list[IdleShard], now: float) -> None:
    gone = set(to_delete(idle, now=now))
    left = [one for one in idle if one.name not in gone]
    assert all(now - one.since <= KEPT for one in left)
    protected = all(now - one.since < PROTECTED for one in left)
    assert protected or sum(one.size for one in left) <= ALLOWED


@given(IDLE, st.floats(0, 3000))
def test_nothing_young_goes(idle: list[IdleShard], now: float) -> None:
    gone = set(to_delete(idle, now=now))
    assert all(now - one.since >= PROTECTED for one in idle if one.name in gone)


@given(IDLE, st.floats(0, 3000))
def test_the_oldest_go_first_and_not_one_too_many(idle: list[IdleShard], now: float) -> None:
    gone = to_delete(idle, now=now)
    since = {one.name: one.since for one in idle}
    assert sorted(since[name] for name in gone) == [since[name] for name in gone]
    left = [one for one in idle if one.name not in gone]
    assert all(since[name] <= one.since for name in gone for one in left)
    sizes = {one.name: one.size for one in idle}
    if gone and now - since[gone[-1]] <= KEPT:
        assert sum(one.size for one in left) + sizes[gone[-1]] > ALLOWED


@pytest.mark.parametrize(
    ("age", "size", "goes"),
    [
        (14.0, 40 * MIB, False),
        (16.0, 40 * MIB, True),
        (16.0, 1, False),
        (600.0, 1, False),
        (601.0, 1, True),
    ],
)
def test_age_and_size_decide(age: float, size: int, *, goes: bool) -> None:
    assert goes == bool(to_delete([IdleShard("one", size, 0.0)], now=age))


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def swept(sweeper: Sweeper, clock: Clock, *, at: float) -> int:
    clock.seconds = at
    return await sweeper.sweep()


async def published(world: World, *texts: str) -> tuple[Publisher, Sweeper, Clock]:
    publisher = await world.leader()
    for text in texts:
        await publisher.publish(bundle(routes=text))
    clock = Clock()
    return publisher, Sweeper(publisher, clock=clock), clock


def test_shard_stays_ten_minutes_from_when_it_was_replaced() -> None:
    async def scenario() -> None:
        world = World()
        publisher, sweeper, clock = await published(world, "1")
        old = world.shard_of("routes")
        assert 0 == await swept(sweeper, clock, at=3600)
        await publisher.publish(bundle(routes="2"))
        assert 0 == await swept(sweeper, clock, at=3605)
        assert 0 == await swept(sweeper, clock, at=3605 + KEPT)
        assert old in world.api.objects
        assert 1 == await swept(sweeper, clock, at=3606 + KEPT)
        assert old not in world.api.objects
        assert bundle(routes="2") == world.in_force()

    asyncio.run(scenario())


def test_what_a_predecessor_left_counts_from_the_take_over() -> None:
    async def scenario() -> None:
        world = World()
        await published(world, "1", "2", "3")
        world.now += 86_400
        publisher = await world.leader("operator-b")
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        await publisher.publish(bundle(routes="3"), force=True)
        assert 0 == await swept(sweeper, clock, at=0)
        assert 0 == await swept(sweeper, clock, at=KEPT)
        assert 2 == await swept(sweeper, clock, at=KEPT + 1)
        assert bundle(routes="3") == world.in_force()

    asyncio.run(scenario())


def test_spares_of_a_publish_that_failed_are_not_swept() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(bundle(routes="1"))
        client.before, _ = kill_at(2, answered=False)
        with pytest.raises(Killed):
            await publisher.publish(bundle(routes="2"))
        client.before = lambda method, path: None
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        await swept(sweeper, clock, at=0)
        assert 0 == await swept(sweeper, clock, at=10_000)
        assert 0 == (await publisher.publish(bundle(routes="2"))).created
        assert bundle(routes="2") == world.in_force()
        was_spare = world.shard_of("routes")
        await publisher.publish(bundle(routes="3"))
        await swept(sweeper, clock, at=20_000)
        assert 2 == await swept(sweeper, clock, at=30_000)
        assert was_spare not in world.api.objects

    asyncio.run(scenario())


def test_spares_that_were_never_named_are_swept_like_all_others() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(bundle(routes="1"))
        client.before, _ = kill_at(3, answered=False)
        with pytest.raises(Killed):
            await publisher.publish(bundle(routes="2", keys_000="of a group that is gone again"))
        client.before = lambda method, path: None
        await publisher.publish(bundle(routes="3"))
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        await swept(sweeper, clock, at=0)
        assert 3 == await swept(sweeper, clock, at=KEPT + 1)
        assert bundle(routes="3") == world.in_force()

    asyncio.run(scenario())


def test_deposed_leader_sweeps_nothing() -> None:
    async def scenario() -> None:
        world = World()
        publisher, sweeper, clock = await published(world, "1", "2")
        await swept(sweeper, clock, at=0)
        successor = await world.leader("operator-b")
        await successor.publish(bundle(routes="3"))
        # What the successor published is seen by the older one's watch.
        for path, secret in world.api.objects.items():
            if not path.endswith("index"):
                await publisher.notice("ADDED", secret["metadata"])
        await swept(sweeper, clock, at=10)
        assert 0 == await swept(sweeper, clock, at=10_000)
        assert bundle(routes="3") == world.in_force()

    asyncio.run(scenario())


def test_nothing_is_swept_while_there_is_no_index() -> None:
    async def scenario() -> None:
        world = World()
        _, sweeper, clock = await published(world, "1", "2")
        await swept(sweeper, clock, at=0)
        world.api.delete(shard("wardgate-index"))
        assert 0 == await swept(sweeper, clock, at=10_000)

    asyncio.run(scenario())


def test_nothing_but_shards_of_this_release_is_ever_deleted() -> None:
    async def scenario() -> None:
        world = World()
        publisher, sweeper, clock = await published(world, "1")
        name = "wardgate-routes-0123456789ab-1"
        others = {
            "other-release": {"wardgate.dev/release": "other", "wardgate.dev/role": "shard"},
            "other-role": {"wardgate.dev/release": "wardgate", "wardgate.dev/role": "state"},
            name: {},
        }
        for other, labels in others.items():
            manifest = {"metadata": {"name": other, "labels": labels}, "data": {}}
            created = world.api.create(shard("x").rpartition("/")[0], manifest)
            await publisher.notice("ADDED", created["metadata"])
        await publisher.recount()
        await swept(sweeper, clock, at=0)
        assert 0 == await swept(sweeper, clock, at=10_000)
        assert {*others, "wardgate-index"} < world.api.names()

    asyncio.run(scenario())


def test_unchanged_cluster_is_swept_without_a_request() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(bundle(routes="1"))
        client.requests.clear()
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        assert 0 == await swept(sweeper, clock, at=0) + await swept(sweeper, clock, at=10_000)
        assert [] == client.requests

    asyncio.run(scenario())


def test_sweep_that_fails_goes_on_next_time() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        for text in "1234":
            await publisher.publish(bundle(routes=text))
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        await swept(sweeper, clock, at=0)
        client.before, _ = kill_at(3, answered=False)
        with pytest.raises(Killed):
            await swept(sweeper, clock, at=1000)
        client.before = lambda method, path: None
        assert 2 == await swept(sweeper, clock, at=1001)

    asyncio.run(scenario())


@pytest.mark.no_cover
def test_thousand_changes_do_not_fill_etcd() -> None:
    """Ten large changes a second: what lies around is bounded by its size and by fifteen seconds of writing."""

    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        most = 0
        for number in range(1000):
            await publisher.publish(bundle(routes=f"{number}", keys_000=f"{number}"))
            pretend_size(publisher, 256 * 1024)
            world.now += 0.1
            clock.seconds += 0.1
            if number % 50 == 0:
                await sweeper.sweep()
                most = max(most, sum(one.size for one in publisher.inventory.shards))
        writing = 10 * 2 * 256 * 1024
        assert most <= ALLOWED + (PROTECTED + 5) * writing
        assert len(world.api.objects) == len(publisher.inventory.shards) + 1

    asyncio.run(scenario())


def pretend_size(publisher: Publisher, size: int) -> None:
    """Pretend that all shards are so large."""
    for one in publisher.inventory.shards:
        publisher.inventory.add(replace(one, size=size))


def test_refused_deletion_is_an_error_of_the_sweep() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        for text in "12":
            await publisher.publish(bundle(routes=text))
        clock = Clock()
        sweeper = Sweeper(publisher, clock=clock)
        await swept(sweeper, clock, at=0)

        def forbid(method: str, path: str) -> None:
            if method == "DELETE":
                raise ApiError(f"DELETE {path}: 403 Forbidden", status=403, reason="Forbidden")

        client.before = forbid
        with pytest.raises(KubeError, match=NAMESPACE):
            await swept(sweeper, clock, at=1000)

    asyncio.run(scenario())
