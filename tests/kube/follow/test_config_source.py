"""What a proxy takes for its config, and what it does not: the rules of ``ConfigSource``, without an API server."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.kube import published
from tests.kube.following import Following, RecordingProxy, following
from tests.kube.published import bundle
from tests.kube.published_secrets import PublishedSecrets
from tests.kube.virtual_time import VirtualTime
from tests.proxy.io.bench import run
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.delivery.index import Manifest
from wardgate.wire.bundle import Bundle

MISSING = (
    "Secret wardgate-config/wardgate-index does not exist yet. The operator writes it: see that it runs, "
    "with release wardgate and config namespace wardgate-config. Nothing is served until then."
)


async def served_first(api: PublishedSecrets, at: Following, *, sequence: int = 1) -> Bundle:
    """Publish a first config and wait for it."""
    first = bundle()
    api.publish(first, sequence=sequence)
    await at.serves(first)
    return first


def test_published_config_is_put_in_force() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        wanted = bundle(keys=3)
        api.publish(wanted, sequence=7)
        async with following(api, time=VirtualTime()) as at:
            await at.serves(wanted)
            assert wanted == at.proxy.bundles[0]
            assert [1000.0] == at.proxy.noticed
            assert (7, None, True, "") == (
                at.delivery.sequence,
                at.delivery.refused_sequence,
                at.delivery.connected,
                at.delivery.problem,
            )
            assert "2027-01-15T08:00:00Z" == at.delivery.verified_at

    run(scenario())


def test_change_of_one_key_gets_one_shard() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            await at.until(lambda: api.watching == 1)
            before, after = bundle(keys=40), bundle(keys=41)
            api.publish(before)
            await at.serves(before)
            api.gets.clear()
            index = api.publish(after, sequence=2)
            await at.serves(after)
            changed = [one.name for one in index.shards if one.sha256 not in before.hashes.values()]
            assert 1 == len(changed)
            assert changed == api.gets

    run(scenario())


def test_missing_index_is_waited_for_and_said_once() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            await at.complains()
            await at.until(lambda: api.watching == 1)
            api.tell(None)
            await at.until(lambda: len(time.slept) > 0)
            time.pass_time(10.0)
            await at.until(lambda: len(api.lists) == 2)
            await at.rest()
            assert (None, float("inf"), True) == (at.delivery.sequence, at.delivery.age, at.delivery.connected)
            assert [MISSING] == at.proxy.announced
            await served_first(api, at)
            assert "" == at.delivery.problem

    run(scenario())


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda _: None, "does not exist, but the index names it."),
        (published.tampered, "is not what the index names."),
        (published.truncated, "cannot be read: "),
    ],
    ids=["missing", "tampered", "truncated"],
)
def test_bad_shard_leaves_what_is_in_force_until_it_is_mended(harm: object, words: str) -> None:
    assert callable(harm)

    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            first = await served_first(api, at)
            second = bundle("second")
            index = published.index_of(second, sequence=2)
            good = published.shards_of(second, index)
            for name, shard in good.items():
                bad = harm(shard)
                if bad is not None:
                    api.secrets[name] = bad
            api.put_index(published.index_secret(index))
            await at.complains()
            assert words in at.delivery.problem
            assert (first.revision, 1) == (at.proxy.revision, at.delivery.sequence)
            await at.until(time.sleeping)
            time.pass_time(0.05)
            await at.until(lambda: at.delivery.refused["shard"] == 2)
            await at.until(time.sleeping)
            assert [0.05, 0.1] == time.slept
            assert 1 == len([text for text in at.proxy.announced if words in text])
            assert at.proxy.announced[-1].endswith(" What is in force stays.")

            api.secrets.update(good)
            time.pass_time(0.1)
            await at.serves(second)
            assert ("", 2) == (at.delivery.problem, at.delivery.sequence)

    run(scenario())


def test_new_index_is_taken_while_an_old_one_is_tried_again() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            await served_first(api, at)
            api.put_index(published.index_secret(published.index_of(bundle("lost"), sequence=2)))
            await at.complains()
            third = bundle("third")
            api.publish(third, sequence=3)
            await at.serves(third)
            assert "" == at.delivery.problem

    run(scenario())


def test_groups_that_arrived_are_not_asked_for_again() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        wanted = bundle(keys=2)
        index = published.index_of(wanted)
        shards = published.shards_of(wanted, index)
        lost = index.shards[-1].name
        api.secrets.update({name: shard for name, shard in shards.items() if name != lost})
        api.broken = lambda name: ConnectionFailed("gone") if name == lost and api.at_once else None
        async with following(api, time=time) as at:
            api.put_index(published.index_secret(index))
            await at.complains()
            api.gets.clear()
            api.secrets.update(shards)
            await at.until(time.sleeping)
            time.pass_time(0.05)
            await at.serves(wanted)
            assert [lost] == api.gets

    run(scenario())


def test_groups_in_force_are_held_while_another_index_fails() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first, third = bundle(keys=40), bundle(keys=41)
            api.publish(first)
            await at.serves(first)
            api.put_index(published.index_secret(published.index_of(bundle("lost"), sequence=2)))
            await at.complains()
            api.gets.clear()
            index = api.publish(third, sequence=3)
            await at.serves(third)
            assert api.gets == [one.name for one in index.shards if one.sha256 not in first.hashes.values()]

    run(scenario())


def test_new_index_is_tried_again_as_soon_as_the_first_one() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            api.put_index(published.index_secret(published.index_of(bundle("lost"), sequence=1)))
            await at.until(lambda: time.slept == [0.05])
            time.pass_time(0.05)
            await at.until(lambda: time.slept == [0.05, 0.1])
            api.put_index(published.index_secret(published.index_of(bundle("lost too"), sequence=2)))
            await at.until(lambda: len(time.slept) == 3)
            assert 0.05 == time.slept[-1]

    run(scenario())


def test_groups_that_share_a_secret_cost_one_request() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        wanted = bundle(keys=60)
        index = published.shared(published.index_of(wanted))
        api.secrets.update(published.shards_of(wanted, index))
        api.put_index(published.index_secret(index))
        async with following(api, time=VirtualTime()) as at:
            await at.serves(wanted)
            assert [index.shards[0].name] == api.gets

            changed = bundle("second", keys=60)
            following_index = published.index_of(changed, sequence=2)
            kept = {shard.group: shard for shard in index.shards if shard.group != "routes"}
            mixed = replace(following_index, shards=tuple(kept.get(one.group, one) for one in following_index.shards))
            api.secrets.update(published.shards_of(changed, mixed))
            api.put_index(published.index_secret(mixed))
            await at.serves(changed)
            assert 2 == len(api.gets)

    run(scenario())


def test_one_bad_group_of_a_shared_secret_leaves_all_until_it_is_mended() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            first = await served_first(api, at)
            second = bundle("second", keys=3)
            index = published.shared(published.index_of(second, sequence=2))
            ((name, good),) = published.shards_of(second, index).items()
            api.secrets[name] = {**good, "data": {**good["data"], "routes.gz": ""}}
            api.put_index(published.index_secret(index))
            await at.complains()
            assert f"The group routes in shard {name} cannot be read" in at.delivery.problem
            assert first.revision == at.proxy.revision
            api.secrets[name] = good
            await at.until(time.sleeping)
            time.pass_time(0.05)
            await at.serves(second)

    run(scenario())


def test_many_shards_are_got_eight_at_a_time() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        api.slow = True
        wanted = bundle(keys=60)
        api.publish(wanted)
        async with following(api, time=VirtualTime()) as at:
            await at.until(lambda: api.at_once == 8)
            await at.rest()
            assert 8 == api.at_once
            api.release.set()
            await at.serves(wanted)
            assert 8 == api.most_at_once

    run(scenario())


def test_smaller_sequence_is_refused_and_shown_until_a_greater_one_comes() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first = await served_first(api, at, sequence=9)
            api.publish(bundle("old"), sequence=8)
            await at.complains()
            assert (9, 8) == (at.delivery.sequence, at.delivery.refused_sequence)
            assert "went back to sequence 8, behind 9" in at.delivery.problem
            assert first.revision == at.proxy.revision
            assert {"sequence": 1} == {name: count for name, count in at.delivery.refused.items() if count}

            api.publish(first, sequence=10)
            await at.until(lambda: at.delivery.sequence == 10)
            assert (None, "") == (at.delivery.refused_sequence, at.delivery.problem)
            assert 1 == len(at.proxy.bundles)
            assert "The index is good again." == at.proxy.announced[-1]

    run(scenario())


def test_smaller_sequence_is_refused_even_of_the_same_revision() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first = await served_first(api, at, sequence=9)
            api.publish(first, sequence=8)
            await at.complains()
            assert (9, 8) == (at.delivery.sequence, at.delivery.refused_sequence)

    run(scenario())


def test_deleted_index_leaves_what_is_in_force() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first = await served_first(api, at, sequence=4)
            await at.until(lambda: api.watching == 1)
            api.delete_index()
            await at.complains()
            assert (
                "Secret wardgate-config/wardgate-index was deleted. What is in force stays." == at.proxy.announced[-1]
            )
            assert (first.revision, 4) == (at.proxy.revision, at.delivery.sequence)
            second = bundle("second")
            api.publish(second, sequence=5)
            await at.serves(second)

    run(scenario())


@pytest.mark.parametrize("data", [{}, {"index.json": "!"}, {"index.json": "e30="}, None])
def test_unreadable_index_leaves_what_is_in_force(data: object) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first = await served_first(api, at)
            broken: Manifest = {**api.secrets[published.INDEX], "data": data}
            api.put_index(broken)
            await at.complains()
            assert at.delivery.problem.startswith("Secret wardgate-config/wardgate-index: The index cannot be read")
            assert (first.revision, 1) == (at.proxy.revision, at.delivery.refused["unreadable"])

    run(scenario())


def test_schema_of_another_major_leaves_what_is_in_force() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            first = await served_first(api, at)
            api.gets.clear()
            api.publish(published.of_schema("2.0", bundle("newer")), sequence=2)
            await at.complains()
            assert "Schema 2.0 is not read by this version, which writes 1.0" in at.delivery.problem
            assert (first.revision, 1) == (at.proxy.revision, at.delivery.refused["schema"])
            assert [] == api.gets

    run(scenario())


def test_config_that_the_proxy_refuses_is_shown() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            first = await served_first(api, at)
            bad = bundle("bad")
            at.proxy.refuses = lambda one: "It cannot be read." if one.revision == bad.revision else ""
            api.publish(bad, sequence=2)
            await at.complains()
            assert ("It cannot be read.", first.revision, 1) == (
                at.delivery.problem,
                at.proxy.revision,
                at.delivery.sequence,
            )
            assert [] == time.slept

    run(scenario())


def test_error_nobody_foresaw_ends_nothing() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:

            def fail(_: Bundle) -> str:
                raise ZeroDivisionError

            at.proxy.refuses = fail
            first = bundle()
            api.publish(first)
            await at.complains()
            assert "Internal error (ZeroDivisionError) at a new config; please report it." == at.delivery.problem
            at.proxy.refuses = lambda _: ""
            await at.until(time.sleeping)
            time.pass_time(0.05)
            await at.serves(first)

    run(scenario())


def test_only_the_newest_of_many_indexes_is_put_in_force() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        proxy = RecordingProxy(busy=asyncio.Event())
        async with following(api, time=VirtualTime(), proxy=proxy) as at:
            await at.until(lambda: api.watching == 1)
            api.publish(bundle("0"))
            await at.until(lambda: proxy.began == 1)
            for number in range(1, 5):
                api.publish(bundle(str(number)), sequence=number + 1)
            await at.rest()
            assert proxy.busy is not None
            proxy.busy.set()
            await at.serves(bundle("4"))
            assert [bundle("0").revision, bundle("4").revision] == [one.revision for one in proxy.bundles]

    run(scenario())


def test_forbidden_shard_is_a_problem_that_names_it() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        api.broken = lambda _: ApiError("GET: 403 Forbidden: no", status=403, reason="Forbidden")
        index = api.publish(bundle())
        async with following(api, time=VirtualTime()) as at:
            await at.complains()
            assert (
                f"Secret wardgate-config/{index.shards[0].name} cannot be read: GET: 403 Forbidden: no."
                == at.delivery.problem
            )

    run(scenario())
