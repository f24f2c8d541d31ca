"""Whatever ends a publish, and wherever: the index names a revision that is whole, and the next operator goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from tests.kube.beside import settle
from tests.kube.fake_api_server import FakeClient, Killed, kill_at, lose_answer
from tests.kube.publishing import INDEX, NAMESPACE, RELEASE, World, bundle
from wardgate.kube.api.client import Manifest, Parameters
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.delivery.index import index_manifest
from wardgate.kube.publish.publisher import Deposed, Publisher
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle

OLD = bundle(routes="routes 1", keys_000="keys 1", keys_001="others")
NEW = bundle(routes="routes 2", keys_000="keys 2", keys_001="others", keys_002="more")
NEWER = bundle(routes="routes 2", keys_000="keys 3", keys_001="others")
REQUESTS_OF_A_PUBLISH = 4
"""Three shards and the index."""


async def leader_by_client(world: World) -> tuple[Publisher, FakeClient]:
    """A leader that has published, and its client, for faults."""
    client = FakeClient(world.api)
    publisher = await world.leader(client=client)
    await publisher.publish(OLD)
    return publisher, client


async def published_without_an_answer(world: World) -> Publisher:
    """A leader whose new index was written although it could not learn so."""
    publisher, client = await leader_by_client(world)
    client.after = lose_answer("PUT", "index")
    with pytest.raises(ConnectionFailed):
        await publisher.publish(NEW)
    return publisher


async def deposed(world: World) -> Publisher:
    """A leader that has published, and has not heard yet that another operator took over."""
    older = await world.leader("operator-a")
    await older.publish(OLD)
    await world.leader("operator-b")
    return older


async def killed_while_publishing(world: World, new: Bundle, *, at: int, answered: bool) -> None:
    publisher, client = await leader_by_client(world)
    client.before, client.after = kill_at(at, answered=answered)
    with pytest.raises(Killed):
        await publisher.publish(new)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("at", range(1, REQUESTS_OF_A_PUBLISH + 1))
def test_index_names_a_whole_revision_wherever_a_publish_ends(at: int, *, answered: bool) -> None:
    async def scenario() -> None:
        world = World()
        await killed_while_publishing(world, NEW, at=at, answered=answered)
        expected = NEW if (at, answered) == (REQUESTS_OF_A_PUBLISH, True) else OLD
        assert expected == world.in_force()

    asyncio.run(scenario())


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("at", range(1, REQUESTS_OF_A_PUBLISH + 1))
def test_successor_publishes_with_a_larger_sequence_wherever_a_publish_ended(at: int, *, answered: bool) -> None:
    async def scenario() -> None:
        world = World()
        await killed_while_publishing(world, NEW, at=at, answered=answered)
        before = world.index().sequence
        successor = await world.leader("operator-b")
        await successor.publish(NEW, force=True)
        assert NEW == world.in_force()
        assert world.index().sequence > before

    asyncio.run(scenario())


@pytest.mark.parametrize("at", range(1, 6))
@pytest.mark.parametrize("answered", [False, True])
def test_take_over_that_is_interrupted_leaves_what_was_in_force(at: int, *, answered: bool) -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader()).publish(OLD)
        client = FakeClient(world.api)
        client.before, client.after = kill_at(at, answered=answered)
        successor = world.operator(client=client)
        try:
            await successor.take_over(world.term("operator-b"))
            await successor.publish(NEW)
        except Killed:
            assert OLD == world.in_force()
        third = await world.leader("operator-c")
        await third.publish(NEWER)
        assert NEWER == world.in_force()

    asyncio.run(scenario())


def test_index_was_written_although_its_answer_was_lost_and_publishing_goes_on() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await published_without_an_answer(world)
        assert NEW == world.in_force()
        await publisher.publish(NEW)
        assert NEW == world.in_force()
        await publisher.publish(NEWER)
        assert NEWER == world.in_force()

    asyncio.run(scenario())


def test_change_taken_back_after_a_lost_answer_is_taken_back_in_the_cluster_too() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await published_without_an_answer(world)
        await publisher.publish(OLD)
        assert OLD == world.in_force()

    asyncio.run(scenario())


def test_renewal_whose_answer_was_lost_is_no_damage_and_is_done_again() -> None:
    async def scenario() -> None:
        world = World()
        publisher, client = await leader_by_client(world)
        published = world.index()
        world.now += 15
        client.after = lose_answer("PUT", "index")
        with pytest.raises(ConnectionFailed):
            await publisher.renew()
        await publisher.notice("MODIFIED", world.api.get(INDEX)["metadata"])
        assert not publisher.is_damaged
        world.now += 15
        assert await publisher.renew()
        assert ("2025-11-24T16:00:30.000Z", published.sequence) == (world.index().verified_at, world.index().sequence)

    asyncio.run(scenario())


def test_nothing_is_renewed_while_a_shard_is_missing() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(OLD)
        name = world.index().shards[0].name
        await publisher.notice("DELETED", {"name": name, "resourceVersion": "1"})
        assert not await publisher.renew()
        await publisher.publish(OLD)
        assert await publisher.renew()

    asyncio.run(scenario())


def test_first_index_whose_answer_was_lost_is_recognized() -> None:
    async def scenario() -> None:
        world = World()
        client = FakeClient(world.api)
        publisher = await world.leader(client=client)
        client.after = lose_answer("POST", "secrets")
        with pytest.raises(ConnectionFailed):
            await publisher.publish(bundle(routes="1"))
        client.after = lose_answer("POST", "secrets")
        with pytest.raises(ConnectionFailed):
            await publisher.publish(bundle(routes="1"))
        await publisher.publish(bundle(routes="1"))
        assert bundle(routes="1") == world.in_force()

    asyncio.run(scenario())


def test_retry_creates_no_second_copy_of_what_was_created() -> None:
    async def scenario() -> None:
        world = World()
        publisher, client = await leader_by_client(world)

        def refuse_index(method: str, path: str) -> None:
            if method == "PUT":
                raise ConnectionFailed(method)

        client.before = refuse_index
        for _ in range(5):
            with pytest.raises(ConnectionFailed):
                await publisher.publish(NEW)
        client.before = lambda method, path: None
        published = await publisher.publish(NEW)
        assert 0 == published.created
        assert 2 == len(world.api.names("-routes-"))
        assert NEW == world.in_force()

    asyncio.run(scenario())


def test_spare_that_someone_deleted_is_not_put_in_force() -> None:
    async def scenario() -> None:
        world = World()
        publisher, client = await leader_by_client(world)
        client.before, _ = kill_at(4, answered=False)
        with pytest.raises(Killed):
            await publisher.publish(NEW)
        client.before = lambda method, path: None
        (spare,) = (name for name in world.api.names("-routes-") if name not in world.shard_of("routes"))
        world.api.delete(INDEX.replace("wardgate-index", spare))
        await publisher.notice("DELETED", {"name": spare, "resourceVersion": "1"})
        await publisher.publish(NEW)
        assert NEW == world.in_force()

    asyncio.run(scenario())


def test_older_leader_cannot_write_once_a_new_one_took_over() -> None:
    async def scenario() -> None:
        world = World()
        older = await deposed(world)
        with pytest.raises(Deposed, match="another operator"):
            await older.publish(NEW)
        assert OLD == world.in_force()
        with pytest.raises(Deposed, match="does not lead"):
            await older.publish(NEW)

    asyncio.run(scenario())


def test_older_leader_cannot_renew_once_a_new_one_took_over() -> None:
    async def scenario() -> None:
        world = World()
        older = await deposed(world)
        world.now += 60
        before = world.index().verified_at
        with pytest.raises(Deposed):
            await older.renew()
        assert before == world.index().verified_at

    asyncio.run(scenario())


def test_process_of_the_same_name_is_another_writer() -> None:
    async def scenario() -> None:
        world = World()
        older = await world.leader("operator-a")
        await older.publish(OLD)
        world.now += 1
        await world.leader("operator-a")
        with pytest.raises(Deposed):
            await older.publish(NEW)

    asyncio.run(scenario())


def test_first_index_of_two_leaders_is_the_faster_ones() -> None:
    async def scenario() -> None:
        world = World()
        older, newer = await world.leader("operator-a"), await world.leader("operator-b")
        await newer.publish(NEW)
        with pytest.raises(Deposed):
            await older.publish(OLD)
        assert NEW == world.in_force()

    asyncio.run(scenario())


def test_leader_that_was_deposed_may_take_over_again() -> None:
    async def scenario() -> None:
        world = World()
        first = await world.leader("operator-a")
        await first.publish(OLD)
        second = await world.leader("operator-b")
        await second.publish(NEW)
        world.now += 1
        taken = await first.take_over(world.term("operator-a"))
        assert taken is not None
        assert NEW.revision == taken.revision
        await first.publish(NEWER)
        with pytest.raises(Deposed):
            await second.publish(OLD)
        assert NEWER == world.in_force()

    asyncio.run(scenario())


def test_take_over_in_the_middle_of_a_late_write_is_repeated() -> None:
    async def scenario() -> None:
        world = World()
        older = await world.leader("operator-a")
        await older.publish(OLD)
        client = FakeClient(world.api)
        done = False

        def write_late(method: str, path: str) -> None:
            nonlocal done
            if method == "PUT" and not done:
                done = True
                touch_index(world)

        client.before = write_late
        successor = world.operator(client=client)
        taken = await successor.take_over(world.term("operator-b"))
        assert taken is not None
        assert taken.revision == world.index().revision
        assert world.index().writer.startswith("operator-b")

    asyncio.run(scenario())


def test_taking_over_changes_the_writer_and_nothing_else() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader("operator-a")).publish(OLD)
        before = world.index()
        world.now += 60
        await world.leader("operator-b")
        after = world.index()
        assert after.writer.startswith("operator-b")
        assert (before.sequence, before.verified_at, before.shards) == (after.sequence, after.verified_at, after.shards)

    asyncio.run(scenario())


def test_sequence_grows_although_the_index_is_gone_and_the_clock_went_back() -> None:
    async def scenario() -> None:
        world = World()
        last = await (await world.leader("operator-a")).publish(OLD)
        world.api.delete(INDEX)
        world.now -= 86_400
        successor = await world.leader("operator-b")
        assert (await successor.publish(NEW)).sequence >= last.sequence

    asyncio.run(scenario())


def test_shard_that_was_replaced_before_the_take_over_is_created_anew() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader("operator-a")).publish(OLD)
        path = world.shard_of("routes")
        found = world.api.get(path)
        world.api.delete(path)
        found["data"] = {"routes.gz": ""}
        world.api.create(path.rpartition("/")[0], found)
        successor = await world.leader("operator-b")
        assert successor.is_damaged
        await successor.publish(OLD)
        assert OLD == world.in_force()

    asyncio.run(scenario())


def test_api_server_that_restored_a_backup_gets_the_present_config_with_a_larger_sequence() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(OLD)
        backup, version = world.api.snapshot(), world.api.version
        last = await publisher.publish(NEW)
        world.api.restore(backup, version=version)
        await publisher.recount()
        assert publisher.is_damaged
        again = await publisher.publish(NEW)
        assert again.sequence > last.sequence
        assert NEW == world.in_force()
        assert not publisher.is_damaged

    asyncio.run(scenario())


def test_restored_backup_is_noticed_even_if_only_the_index_differs() -> None:
    """Its version is then one that we wrote ourselves, once."""

    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(OLD)
        backup, version = world.api.snapshot(), world.api.version
        less = bundle(routes="routes 1")
        await publisher.publish(less)
        world.api.restore(backup, version=version)
        await publisher.recount()
        assert publisher.is_damaged
        await publisher.publish(less)
        assert less == world.in_force()

    asyncio.run(scenario())


def test_sequence_that_someone_wrote_into_our_index_is_exceeded() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        published = await publisher.publish(OLD)
        far = replace(world.index(), sequence=published.sequence + 5_000_000)
        world.api.replace(INDEX, index_manifest(far, release=RELEASE, namespace=NAMESPACE))
        assert (await publisher.publish(NEW)).sequence > far.sequence

    asyncio.run(scenario())


def test_others_keep_writing_and_the_take_over_is_given_up() -> None:
    async def scenario() -> None:
        world = World()
        await (await world.leader("operator-a")).publish(OLD)
        client = FakeClient(world.api)

        def write_late(method: str, path: str) -> None:
            if method == "PUT":
                touch_index(world)

        client.before = write_late
        with pytest.raises(Deposed):
            await world.operator(client=client).take_over(world.term("operator-b"))
        assert OLD == world.in_force()

    asyncio.run(scenario())


def test_index_of_nobody_is_no_damage() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        assert not publisher.is_damaged
        assert publisher.index is None
        await publisher.recount()
        await publisher.notice("DELETED", {"name": "wardgate-index", "resourceVersion": "1"})
        assert not publisher.is_damaged
        await publisher.publish(OLD)
        assert world.index() == publisher.index

    asyncio.run(scenario())


def test_unreadable_index_is_written_over_by_a_new_leader() -> None:
    async def scenario() -> None:
        world = World()
        last = await (await world.leader("operator-a")).publish(OLD)
        damaged = world.api.get(INDEX)
        damaged["data"] = {}
        world.api.replace(INDEX, damaged)
        world.now -= 86_400
        successor = world.operator()
        assert await successor.take_over(world.term("operator-b")) is None
        touch_index(world)
        await successor.recount()
        assert not successor.is_damaged
        assert (await successor.publish(OLD)).sequence >= last.sequence
        assert OLD == world.in_force()

    asyncio.run(scenario())


def test_shard_created_while_everything_is_listed_is_not_taken_for_missing() -> None:
    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        await publisher.publish(OLD)
        metadata = FakeClient(world.api)
        publisher.secrets.client = metadata
        listed, may_end = asyncio.Event(), asyncio.Event()
        pages = metadata.pages

        async def slow_pages(
            path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
        ) -> AsyncIterator[Manifest]:
            found = [page async for page in pages(path, parameters, metadata_only=metadata_only)]
            listed.set()
            await may_end.wait()
            for page in found:
                yield page

        metadata.pages = slow_pages  # type: ignore[method-assign]
        counting = spawn(publisher.recount(), name="recount")
        await listed.wait()
        await publisher.publish(NEW)
        may_end.set()
        await counting
        assert not publisher.is_damaged
        assert NEW == world.in_force()

    asyncio.run(scenario())


def touch_index(world: World) -> None:
    """A write of someone else's that gets in first."""
    index = world.api.get(INDEX)
    del index["metadata"]["resourceVersion"]
    index["metadata"]["labels"]["late"] = str(world.api.version)
    world.api.replace(INDEX, index)


@pytest.mark.parametrize("successor", ["operator-a", "operator-b"])
def test_index_that_somebody_set_back_is_written_anew_by_whoever_takes_over(successor: str) -> None:
    """Even the same revision: proxies refuse the smaller sequence, and perhaps none of them can be asked."""

    async def scenario() -> None:
        world = World()
        publisher = await world.leader()
        before = await publisher.publish(NEW)
        set_back = replace(world.index(), sequence=7, writer="somebody")
        world.api.replace(INDEX, index_manifest(set_back, release=RELEASE, namespace=NAMESPACE))
        if successor == "operator-a":
            await publisher.take_over(world.term())
        else:
            publisher = await world.leader(successor)
        after = await publisher.publish(NEW)
        assert (True, before.revision) == (after.index_written, world.index().revision)
        assert world.index().sequence == after.sequence >= before.sequence

    asyncio.run(scenario())


def test_publish_that_is_cancelled_while_a_request_fails_is_cancelled() -> None:
    class Failing(FakeClient):
        is_stuck = False

        async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
            if self.is_stuck:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    msg = "gone"
                    raise ConnectionFailed(msg) from None
            return await super().create(path, manifest)

    async def scenario() -> None:
        world = World()
        client = Failing(world.api)
        publisher = await world.leader(client=client)
        await publisher.publish(OLD)
        client.is_stuck = True
        task = spawn(publisher.publish(NEW), name="publish")
        await settle()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(scenario())
