"""What a publish writes, and what it leaves alone."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from random import Random

import pytest

from tests.kube.fake_api_server import FakeApiServer, FakeClient, nothing
from tests.kube.publishing import INDEX, NAMESPACE, NOW, RELEASE, World, bundle, bundle_of, shard
from wardgate.kube.api.client import Manifest
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.delivery.index import MAX_SEQUENCE, read_index
from wardgate.kube.publish.publisher import Deposed
from wardgate.wire.bundle import hash_of

ONE = bundle(routes="routes 1", keys_000="keys 1", keys_001="others")
TWO = bundle(routes="routes 1", keys_000="keys 2", keys_001="others")


def test_first_publish_is_what_a_proxy_then_reads() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        published = await publisher.publish(ONE)
        assert ONE == world.in_force()
        assert (ONE.revision, 3, True) == (published.revision, published.created, published.index_written)
        assert world.index().sequence == published.sequence
        assert published.size == sum(one.size for one in world.index().shards)

    asyncio.run(scenario())


def test_shards_are_immutable_and_carry_group_hash_and_sequence_in_their_names() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader()).publish(bundle(routes="routes"))
        found = world.api.get(world.shard_of("routes"))
        assert found["immutable"] is True
        expected = f"wardgate-routes-{hash_of(b'routes')[:12]}-{int(NOW * 1000)}"
        assert expected == found["metadata"]["name"]

    asyncio.run(scenario())


def test_change_of_one_group_is_two_requests() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(ONE)
        client.requests.clear()
        published = await publisher.publish(TWO)
        assert ["POST", "PUT"] == [request.split()[0] for request in client.requests]
        assert 1 == published.created
        assert TWO == world.in_force()

    asyncio.run(scenario())


def test_unchanged_revision_is_not_written() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        first = await publisher.publish(ONE)
        client.requests.clear()
        again = await publisher.publish(ONE)
        assert [] == client.requests
        assert (first.sequence, 0, False) == (again.sequence, again.created, again.index_written)

    asyncio.run(scenario())


def test_forced_publish_writes_the_index_alone_with_a_larger_sequence() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        first = await publisher.publish(ONE)
        again = await publisher.publish(ONE, force=True)
        assert again.sequence > first.sequence
        assert (0, True) == (again.created, again.index_written)

    asyncio.run(scenario())


def test_group_that_vanished_from_the_bundle_vanishes_from_the_index() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        await publisher.publish(bundle(routes="routes 1"))
        assert ["routes"] == [one.group for one in world.index().shards]

    asyncio.run(scenario())


def test_revision_that_comes_back_gets_new_names() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        before = world.shard_of("keys-000")
        await publisher.publish(TWO)
        await publisher.publish(ONE)
        assert before != world.shard_of("keys-000")
        assert ONE == world.in_force()

    asyncio.run(scenario())


def test_sequence_is_the_time_in_milliseconds_and_grows_even_if_the_clock_goes_back() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        first = await publisher.publish(bundle(routes="1"))
        world.now = NOW + 60
        second = await publisher.publish(bundle(routes="2"))
        world.now = NOW - 3600
        third = await publisher.publish(bundle(routes="3"))
        assert int(NOW * 1000) <= first.sequence < int(NOW * 1000) + 10
        assert int((NOW + 60) * 1000) <= second.sequence < third.sequence < int((NOW + 60) * 1000) + 10

    asyncio.run(scenario())


def test_renewal_changes_the_time_and_nothing_else() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        before = world.index()
        world.now = NOW + 15
        assert await publisher.renew()
        after = world.index()
        assert ("2025-11-24T16:00:00.000Z", "2025-11-24T16:00:15.000Z") == (before.verified_at, after.verified_at)
        assert (before.sequence, before.shards) == (after.sequence, after.shards)

    asyncio.run(scenario())


def test_publish_says_when_it_was_verified_only_if_told_that_the_watches_are_live() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        world.now = NOW + 15
        await publisher.publish(TWO)
        assert "2025-11-24T16:00:00.000Z" == world.index().verified_at
        await publisher.publish(ONE, verified=True)
        assert "2025-11-24T16:00:15.000Z" == world.index().verified_at

    asyncio.run(scenario())


def test_nothing_is_renewed_before_the_first_publish() -> None:
    async def scenario() -> None:
        world = World()
        assert not await (await world.leader()).renew()
        assert {} == world.api.objects

    asyncio.run(scenario())


def test_nothing_is_renewed_after_a_publish_that_failed() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(ONE)
        client.before = refusing
        with pytest.raises(ConnectionFailed):
            await publisher.publish(TWO)
        client.before = nothing
        assert not await publisher.renew()
        await publisher.publish(ONE)
        assert await publisher.renew()

    asyncio.run(scenario())


def test_publish_before_taking_over_is_refused() -> None:
    async def scenario() -> None:
        world = World()
        with pytest.raises(Deposed, match="does not lead"):
            await world.operator().publish(ONE)
        assert {} == world.api.objects

    asyncio.run(scenario())


def test_up_to_eight_groups_have_a_shard_each_and_more_share_eight() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        groups = {f"keys_{number:03}": str(number) for number in range(64)}
        first = await publisher.publish(bundle(**groups))
        assert 8 == first.created == len({one.name for one in world.index().shards})
        assert bundle(**groups) == world.in_force()
        assert first.size == sum(one.size for one in publisher.inventory.shards)

        few = bundle(**groups | {f"keys_{number:03}": "changed" for number in range(8)})
        assert 8 == (await publisher.publish(few)).created
        assert few == world.in_force()

    asyncio.run(scenario())


def test_shared_shard_is_in_use_as_long_as_any_of_its_groups_is() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        groups = {f"keys_{number:03}": str(number) for number in range(64)}
        await publisher.publish(bundle(**groups))
        shared = next(one.name for one in world.index().shards if one.group == "keys-000")
        mates = [one.group.replace("-", "_") for one in world.index().shards if one.name == shared]
        for number, group in enumerate(mates, start=1):
            assert shared in publisher.in_use
            groups[group] = "changed"
            assert 1 == (await publisher.publish(bundle(**groups))).created, number
        assert shared not in publisher.in_use

    asyncio.run(scenario())


def test_shared_shard_that_is_deleted_is_written_anew_with_all_its_groups() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        wanted = bundle(**{f"keys_{number:03}": str(number) for number in range(64)})
        await publisher.publish(wanted)
        lost = world.index().shards[0].name
        world.api.delete(shard(lost))
        publisher.inventory.remove(lost)
        assert publisher.is_damaged
        assert (await publisher.publish(wanted)).index_written
        assert wanted == world.in_force()
        assert lost not in {one.name for one in world.index().shards}

    asyncio.run(scenario())


def test_many_shards_are_created_side_by_side_but_not_too_many() -> None:
    class Crowded(FakeClient):
        def __init__(self, server: FakeApiServer) -> None:
            super().__init__(server)
            self.now_at_it = self.most = 0

        async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
            self.now_at_it += 1
            self.most = max(self.most, self.now_at_it)
            try:
                return await super().create(path, manifest)
            finally:
                self.now_at_it -= 1

    async def scenario() -> None:
        world = World()
        client = Crowded(world.api)
        publisher = world.operator(client=client)
        await publisher.take_over(world.term())
        many = bundle_of({f"keys-{number:03}": Random(number).randbytes(500_000) for number in range(12)})
        assert (await publisher.publish(many)).created > 8
        assert 8 == client.most
        assert many == world.in_force()

    asyncio.run(scenario())


def test_large_group_is_what_a_proxy_then_reads() -> None:
    async def scenario() -> None:
        world = World()
        large = bundle(routes=incompressible(300_000))
        await (await world.leader()).publish(large)
        assert large == world.in_force()

    asyncio.run(scenario())


def test_sequence_a_proxy_serves_is_exceeded_even_by_the_same_revision() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        first = await publisher.publish(ONE)
        assert not publisher.seen_sequence(first.sequence)
        assert publisher.seen_sequence(first.sequence + 5_000_000)
        again = await publisher.publish(ONE)
        assert again.sequence > first.sequence + 5_000_000
        assert not publisher.is_damaged

    asyncio.run(scenario())


def test_sequence_that_no_index_could_have_is_not_believed() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        assert not publisher.seen_sequence(MAX_SEQUENCE + 1)

    asyncio.run(scenario())


def test_everything_written_carries_the_release() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader()).publish(ONE)
        labels = [one["metadata"]["labels"]["wardgate.dev/release"] for one in world.api.objects.values()]
        assert [RELEASE] * 4 == labels
        assert all(path.startswith(f"/api/v1/namespaces/{NAMESPACE}/secrets/") for path in world.api.objects)

    asyncio.run(scenario())


def test_index_someone_deleted_is_written_again_with_a_larger_sequence() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        first = await publisher.publish(ONE)
        world.api.delete(INDEX)
        second = await publisher.publish(TWO)
        assert second.sequence > first.sequence
        assert TWO == world.in_force()

    asyncio.run(scenario())


def test_index_someone_rolled_back_is_written_again_with_a_larger_sequence() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        old = world.api.get(INDEX)
        second = await publisher.publish(TWO)
        del old["metadata"]["resourceVersion"]
        world.api.replace(INDEX, old)
        third = await publisher.publish(bundle(routes="3"))
        assert third.sequence > second.sequence
        assert third.sequence == world.index().sequence

    asyncio.run(scenario())


def test_index_someone_damaged_is_written_again() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(ONE)
        damaged = world.api.get(INDEX)
        damaged["data"] = {"index.json": base64.b64encode(b"{}").decode()}
        world.api.replace(INDEX, damaged)
        await publisher.publish(TWO)
        assert TWO == world.in_force()

    asyncio.run(scenario())


def test_shard_of_ours_that_exists_already_is_taken_if_it_holds_the_group() -> None:
    async def scenario() -> None:
        world = World()
        twin = World()
        await (await twin.leader()).publish(ONE)
        world.api.objects = {path: one for path, one in twin.api.objects.items() if path != INDEX}
        publisher = world.operator()
        await publisher.take_over(world.term())
        # As if a request had been sent twice: the very name is taken when it is created.
        publisher.inventory.replace(())
        publisher.inventory.highest = 0
        await publisher.publish(ONE)
        assert 3 == len(world.api.names("wardgate-")) - 1
        assert ONE == world.in_force()

    asyncio.run(scenario())


def test_shard_of_that_name_with_another_content_is_an_error_and_not_put_in_force() -> None:
    async def scenario() -> None:
        world = World()
        twin = World()
        await (await twin.leader()).publish(bundle(routes="one"))
        taken = twin.api.get(twin.shard_of("routes"))
        taken["data"] = {"routes.gz": ""}
        world.api.objects = {twin.shard_of("routes"): taken}
        publisher = world.operator()
        await publisher.take_over(world.term())
        publisher.inventory.replace(())
        publisher.inventory.highest = 0
        with pytest.raises(Exception, match="AlreadyExists"):
            await publisher.publish(bundle(routes="one"))
        assert INDEX not in world.api.objects
        await publisher.publish(bundle(routes="one"))
        assert bundle(routes="one") == world.in_force()

    asyncio.run(scenario())


def test_index_holds_no_bytes_of_any_group() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader()).publish(bundle(routes="token-in-clear"))
        content = base64.b64decode(world.api.get(INDEX)["data"]["index.json"])
        assert b"token-in-clear" not in content
        assert "token-in-clear" not in repr(read_index(world.api.get(INDEX)))

    asyncio.run(scenario())


def refusing(method: str, path: str) -> None:
    """The API server is away."""
    raise ConnectionFailed(method)


def incompressible(size: int) -> str:
    """Text of about that size that hardly compresses."""
    text = ""
    while len(text) < size:
        text += hash_of(str(len(text)).encode())
    return text
