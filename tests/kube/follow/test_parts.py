"""A group in parts is put together as it was, or what is in force stays."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kube import published
from tests.kube.following import LOCATION, Following, following
from tests.kube.published import NAMESPACE, PART, RELEASE, bundle, bundle_of_routes
from tests.kube.published_secrets import PublishedSecrets
from tests.kube.virtual_time import VirtualTime
from tests.proxy.io.bench import run
from wardgate.kube.api.client import Parameters
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.delivery import shards
from wardgate.kube.delivery.index import Index, Manifest, ShardRef, UnreadableIndexError, read_index
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.kube.follow.shard_collector import CollectionError, ShardCollector
from wardgate.tasks import spawn
from wardgate.wire.bundle import Bundle, hash_of, revision_of

FIRST = bundle_of_routes(200)
SECOND = bundle_of_routes(200, changed=100)


def put(api: PublishedSecrets, config: Bundle, *, sequence: int = 1) -> Index:
    """Publish a config whose routes are in many parts; those that are there already stay where they are."""
    index = published.index_of(config, sequence=sequence, most=PART)
    known = {one.sha256: one for one in api_index(api)}
    index = replace(index, shards=tuple(replace(known.get(one.sha256, one), whole=one.whole) for one in index.shards))
    api.secrets |= {
        name: secret for name, secret in published.shards_of(config, index).items() if name not in api.secrets
    }
    api.put_index(published.index_secret(index))
    return index


def api_index(api: PublishedSecrets) -> tuple[ShardRef, ...]:
    found = api.secrets.get(published.INDEX)
    return () if found is None else read_index(found).shards


def names(index: Index) -> list[str]:
    return [one.name for one in index.groups["routes"]]


def test_group_in_parts_is_put_together() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            index = put(api, FIRST)
            await at.serves(FIRST)
            assert len(names(index)) > 5
            assert FIRST == at.proxy.bundles[0]

    run(scenario())


def test_change_of_one_route_gets_the_parts_that_changed() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            before = put(api, FIRST)
            await at.serves(FIRST)
            api.gets.clear()
            after = put(api, SECOND, sequence=2)
            await at.serves(SECOND)
            changed = set(names(after)) - set(names(before))
            assert 1 <= len(changed) <= 2
            assert changed == set(api.gets)
            api.gets.clear()
            put(api, FIRST, sequence=3)
            await at.serves(FIRST)
            assert 1 <= len(api.gets) <= 2

    run(scenario())


def test_change_of_one_key_gets_no_part_of_the_routes() -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            put(api, FIRST)
            await at.serves(FIRST)
            api.gets.clear()
            with_key = bundle_of_routes(200, keys=1)
            put(api, with_key, sequence=2)
            await at.serves(with_key)
            assert 1 == len(api.gets)

    run(scenario())


def drop(api: PublishedSecrets, name: str) -> None:
    del api.secrets[name]


def truncate(api: PublishedSecrets, name: str) -> None:
    api.secrets[name] = published.truncated(api.secrets[name])


def tamper(api: PublishedSecrets, name: str) -> None:
    api.secrets[name] = published.tampered(api.secrets[name])


async def serving_first(api: PublishedSecrets, at: Following) -> Index:
    index = put(api, FIRST)
    await at.serves(FIRST)
    return index


@pytest.mark.parametrize("harm", [drop, truncate, tamper])
def test_bad_part_leaves_what_is_in_force_until_it_is_mended(harm: Callable[[PublishedSecrets, str], None]) -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time) as at:
            before = await serving_first(api, at)
            second = published.index_of(SECOND, sequence=2, most=PART)
            good = published.shards_of(SECOND, second)
            changed = next(one.name for one in second.shards if one.sha256 not in {old.sha256 for old in before.shards})
            api.secrets |= good
            harm(api, changed)
            api.put_index(published.index_secret(second))
            await at.complains()
            assert (FIRST.revision, 1) == (at.proxy.revision, at.delivery.sequence)
            assert changed in at.delivery.problem
            api.secrets |= good
            await at.until(time.sleeping)
            time.pass_time(0.05)
            await at.serves(SECOND)

    run(scenario())


@pytest.mark.parametrize("change", ["swapped", "dropped", "doubled"])
def test_parts_in_another_order_or_number_leave_what_is_in_force(change: str) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime()) as at:
            await serving_first(api, at)
            index = put(api, SECOND, sequence=2)
            await at.serves(SECOND)
            third = bundle_of_routes(200, changed=5)
            other = published.index_of(third, sequence=3, most=PART)
            api.secrets |= published.shards_of(third, other)
            one, two, *rest = other.shards
            wrong = {"swapped": (two, one, *rest), "dropped": (one, *rest), "doubled": (one, one, two, *rest)}[change]
            api.put_index(published.index_secret(replace(other, shards=wrong)))
            await at.complains()
            assert (SECOND.revision, index.sequence) == (at.proxy.revision, at.delivery.sequence)
            assert "The parts of the group routes do not come to the group that the index names." in at.delivery.problem

    run(scenario())


def test_part_that_is_named_without_end_is_refused_before_memory_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "MAX_GROUP", len(FIRST.groups["routes"]))

    async def scenario() -> None:
        api = PublishedSecrets()
        index = put(api, FIRST)
        collector = ShardCollector(api, LOCATION)
        assert FIRST == await collector.collect(index)
        endless = replace(index, shards=index.shards[:1] * 4000)
        with pytest.raises(CollectionError, match="come to more than"):
            await collector.collect(endless)

    run(scenario())


def test_restart_serves_what_was_kept_and_gets_the_parts_of_what_changed(tmp_path: Path) -> None:
    cache = RevisionFile(tmp_path, release=RELEASE, namespace=NAMESPACE)

    async def scenario() -> None:
        api = PublishedSecrets()
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await serving_first(api, at)
            await at.until(lambda: cache.read() is not None)
        api.gets.clear()
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.serves(FIRST)
            await at.until(lambda: at.delivery.connected)
            assert [] == api.gets
            put(api, SECOND, sequence=2)
            await at.serves(SECOND)
        assert [FIRST, SECOND] == at.proxy.bundles

    run(scenario())


class _Case:
    """One config in parts, as its Secrets."""

    def __init__(self) -> None:
        self.config = bundle("in parts" * 900, keys=2)
        self.index = published.index_of(self.config, most=PART)
        self.shards = published.shards_of(self.config, self.index)


CASE = _Case()


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_anything_that_happens_to_parts_gives_the_very_config_or_none(data: st.DataObject) -> None:
    index, api = CASE.index, PublishedSecrets()
    api.secrets.update(CASE.shards)
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(sorted(CASE.shards)))
        match data.draw(st.sampled_from(["delete", "swap", "mutate", "order", "whole", "rename", "hash"])):
            case "delete":
                api.secrets.pop(name, None)
            case "swap":
                api.secrets[name] = CASE.shards[data.draw(st.sampled_from(sorted(CASE.shards)))]
            case "mutate":
                entry, text = next(iter(CASE.shards[name]["data"].items()))
                content = bytearray(base64.b64decode(text))
                place = data.draw(st.integers(0, len(content) - 1))
                content[place : place + 1] = data.draw(st.binary(max_size=2))
                api.secrets[name] = published.with_data(CASE.shards[name], {entry: bytes(content)})
            case "order":
                index = replace(index, shards=tuple(data.draw(st.permutations(index.shards))))
            case "whole":
                index = _changed(index, data, whole=data.draw(st.sampled_from(["", "f" * 64])))
            case "rename":
                index = _changed(index, data, name=name)
            case "hash":
                index = _changed(index, data, sha256=data.draw(st.sampled_from(index.shards)).sha256)
    secret = published.index_secret(replace(index, revision=revision_of(schema=index.schema, hashes=index.hashes)))
    api.secrets[published.INDEX] = secret
    try:
        read = read_index(secret)
        found = asyncio.run(ShardCollector(api, LOCATION).collect(read))
    except (CollectionError, UnreadableIndexError):
        return
    assert found.revision == revision_of(schema=found.schema, hashes=found.hashes)
    for group, read_group in found.groups.items():
        assert hash_of(read_group) == found.hashes[group]
    if found.revision == CASE.config.revision:
        assert CASE.config == found


def _changed(index: Index, data: st.DataObject, **change: Any) -> Index:
    place = data.draw(st.integers(0, len(index.shards) - 1))
    changed = replace(index.shards[place], **change)
    return replace(index, shards=(*index.shards[:place], changed, *index.shards[place + 1 :]))


def test_collection_that_is_cancelled_while_a_request_fails_is_cancelled() -> None:
    """Whoever awaits it would otherwise try again, and never end."""

    class Failing(PublishedSecrets):
        async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
            try:
                return await super().get(path, parameters)
            except asyncio.CancelledError:
                msg = "gone"
                raise ConnectionFailed(msg) from None

    async def scenario() -> None:
        api = Failing()
        api.slow = True
        index = put(api, FIRST)
        task = spawn(ShardCollector(api, LOCATION).collect(index), name="collect")
        while not api.gets:  # noqa: ASYNC110 - what is awaited has no event
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    run(scenario())
