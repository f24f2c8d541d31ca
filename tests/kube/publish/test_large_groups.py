"""A group in parts: a change writes the parts that changed, and whatever happens in between, no others."""

from __future__ import annotations

import asyncio

import pytest

from tests.kube.fake_api_server import FakeClient, nothing
from tests.kube.published import PART, bundle_of_routes, credentials
from tests.kube.publishing import World, shard
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.publish import shard_writer
from wardgate.kube.publish.publisher import Publisher
from wardgate.kube.publish.read_back import DamagedConfig

FIRST = bundle_of_routes(200, keys=1)
SECOND = bundle_of_routes(200, changed=100, keys=1)


async def leader(world: World, *, client: FakeClient | None = None, most: int = PART) -> Publisher:
    publisher = world.operator(client=client, max_part=most)
    await publisher.take_over(world.term())
    return publisher


def test_change_of_one_route_writes_the_parts_that_changed() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await leader(world)
        assert (await publisher.publish(FIRST)).created > 5
        assert FIRST == world.in_force()
        before = {one.sha256 for one in world.index().shards}
        published = await publisher.publish(SECOND)
        changed = [one for one in world.index().shards if one.sha256 not in before]
        assert 1 <= len(changed) == published.created <= 2
        assert SECOND == world.in_force()

    asyncio.run(scenario())


def test_change_of_one_key_writes_no_part_of_the_routes() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await leader(world)
        await publisher.publish(FIRST)
        before = world.index().groups["routes"]
        assert 1 == (await publisher.publish(bundle_of_routes(200, keys=2))).created
        assert before == world.index().groups["routes"]

    asyncio.run(scenario())


def test_parts_have_shards_of_their_own_names_even_if_their_hashes_begin_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_writer, "hash_of", lambda data: "0" * 64)

    async def scenario() -> None:
        world = World()
        await (await leader(world)).publish(FIRST)
        assert FIRST == world.in_force()

    asyncio.run(scenario())


def test_parts_that_were_created_in_vain_are_used_by_the_next_attempt() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await leader(world, client=client)

        def refuse_index(method: str, path: str) -> None:
            if method in {"PUT", "GET"} or path.endswith("-index"):
                raise ConnectionFailed(method)

        await publisher.publish(bundle_of_routes(1))
        client.before = refuse_index
        with pytest.raises(ConnectionFailed):
            await publisher.publish(FIRST)
        client.before = nothing
        assert 0 == (await publisher.publish(FIRST)).created
        assert FIRST == world.in_force()

    asyncio.run(scenario())


def test_lost_part_is_written_anew_and_alone() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await leader(world)
        await publisher.publish(FIRST)
        parts = world.index().groups["routes"]
        lost = [one for one in parts if one.name == parts[3].name]
        world.api.delete(shard(parts[3].name))
        await publisher.recount()
        assert publisher.is_damaged
        assert len(lost) == (await publisher.publish(FIRST)).created
        assert FIRST == world.in_force()

    asyncio.run(scenario())


def test_next_leader_leaves_what_is_in_force_as_it_was_cut() -> None:
    async def scenario() -> None:
        world = World()
        await (await leader(world)).publish(FIRST)
        before = world.index().groups["routes"]
        newer = await leader(world, most=PART // 2)
        assert 1 == (await newer.publish(bundle_of_routes(200, keys=2))).created
        assert before == world.index().groups["routes"]

    asyncio.run(scenario())


def test_config_in_force_is_read_back_by_the_next_leader() -> None:
    async def scenario() -> None:
        world = World()
        assert await (await leader(world)).read() is None
        await (await leader(world)).publish(FIRST)
        assert FIRST == await (await leader(world)).read()

    asyncio.run(scenario())


def test_damaged_config_is_not_read_back() -> None:
    async def scenario() -> None:
        world = World()
        await (await leader(world)).publish(FIRST)
        world.api.delete(shard(world.index().groups["routes"][3].name))
        with pytest.raises(DamagedConfig, match="cannot be read back"):
            await (await leader(world)).read()

    asyncio.run(scenario())


def test_keys_in_parts_are_what_a_proxy_then_reads() -> None:
    async def scenario() -> None:
        world = World()
        many = bundle_of_routes(1, keys=len(credentials(9000)))
        await (await leader(world)).publish(many)
        assert any(one.whole for one in world.index().shards if one.group != "routes")
        assert many == world.in_force()

    asyncio.run(scenario())
