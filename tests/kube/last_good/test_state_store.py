"""The operator's memory survives the operator, at every moment of a save."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable

import pytest

from tests.kube.fake_api_server import FakeApiServer, FakeClient, Killed, kill_at, lose_answer
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.last_good.state_parts import MAX_OBJECT, MAX_PARTS, TARGET
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.term import Term
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.reading.last_good import LastGood

STATE = SECRETS.path("wardgate", "wardgate-state")


def stored(number: int, *, version: int = 1, size: int = 0) -> StoredObject:
    ref = ObjectRef("RouteTable", "team", f"table-{number:05}")
    manifest = {"kind": "RouteTable", "spec": {"text": "x" * size, "version": version}}
    return StoredObject(ref, f"uid-{number}", version, 1, "2026-01-01T00:00:00Z", manifest)


def forms(objects: Iterable[StoredObject]) -> LastGood:
    return {one.ref: one for one in objects}


def many(count: int, *, size: int, changed: int | None = None) -> LastGood:
    return forms(stored(number, version=2 if number == changed else 1, size=size) for number in range(count))


def store(api: FakeApiServer, writer: str = "operator-a", *, client: FakeClient | None = None) -> StateStore:
    return StateStore(client or FakeClient(api), release="wardgate", namespace="wardgate", term=Term(writer, began=0.0))


async def loaded(api: FakeApiServer, writer: str = "operator-a", *, client: FakeClient | None = None) -> StateStore:
    made = store(api, writer, client=client)
    await made.load()
    return made


def with_manifests(last_good: LastGood) -> dict[ObjectRef, tuple[StoredObject, object]]:
    return {ref: (one, one.manifest) for ref, one in last_good.items()}


def test_what_was_saved_is_loaded_by_the_next_operator() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        last_good = many(5, size=10)
        assert 1 == await (await loaded(api)).save(last_good)
        assert with_manifests(last_good) == with_manifests(await store(api, "operator-b").load())
        assert {"wardgate-state"} == api.names()

    asyncio.run(scenario())


def test_first_operator_finds_nothing_and_no_problem() -> None:
    async def scenario() -> None:
        made = store(FakeApiServer())
        assert {} == await made.load()
        assert not made.problem

    asyncio.run(scenario())


def test_unchanged_forms_are_not_written() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        made = await loaded(api, client=client)
        await made.save(many(5, size=10))
        client.requests.clear()
        assert 0 == await made.save(many(5, size=10))
        assert [] == client.requests

    asyncio.run(scenario())


def test_deleted_objects_are_forgotten() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        made = await loaded(api)
        await made.save(many(5, size=10))
        assert 1 == await made.save(many(2, size=10))
        assert with_manifests(many(2, size=10)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_many_objects_are_spread_and_one_change_rewrites_one_part() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        made = await loaded(api, client=client)
        await made.save(many(1000, size=3000))
        assert 8 <= len(api.names()) <= 16
        client.requests.clear()
        changed = many(1000, size=3000, changed=321)
        assert 1 == await made.save(changed)
        assert 1 == len(client.requests)
        assert with_manifests(changed) == with_manifests(await store(api, "operator-b").load())

    asyncio.run(scenario())


def test_five_thousand_objects_fit() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        last_good = many(5000, size=2000)
        await (await loaded(api)).save(last_good)
        assert len(api.names()) == MAX_PARTS
        assert with_manifests(last_good) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_state_that_grows_loses_nothing() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        made = await loaded(api)
        for count in (10, 100, 300, 600, 900):
            await made.save(many(count, size=3000))
            assert with_manifests(many(count, size=3000)) == with_manifests(await store(api, "reader").load())

    asyncio.run(scenario())


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("at", range(1, 8))
def test_operator_killed_while_the_state_splits_loses_nothing(at: int, *, answered: bool) -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        made = await loaded(api, client=client)
        await made.save(many(300, size=3000))
        before = set(api.names())
        client.before, client.after = kill_at(at, answered=answered)
        with pytest.raises(Killed):
            await made.save(many(700, size=3000))
        found = await store(api, "operator-b").load()
        assert len(before) >= 2
        assert with_manifests(many(300, size=3000)).items() <= with_manifests(found).items()

    asyncio.run(scenario())


def test_save_that_failed_is_made_good_by_the_next_one() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        made = await loaded(api, client=client)
        await made.save(many(600, size=3000))
        client.before, _ = kill_at(2, answered=False)
        newer = forms(stored(number, version=2, size=3000) for number in range(600))
        with pytest.raises(Killed):
            await made.save(newer)
        client.before = lambda method, path: None
        await made.save(newer)
        assert with_manifests(newer) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_save_whose_answer_was_lost_is_recognized() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)
        made = await loaded(api, client=client)
        await made.save(many(1, size=10))
        client.after = lose_answer("PUT", "state")
        with pytest.raises(ConnectionFailed):
            await made.save(many(2, size=10))
        await made.save(many(3, size=10))
        assert with_manifests(many(3, size=10)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_older_leaders_late_save_fails() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        older = await loaded(api, "operator-a")
        await older.save(many(600, size=3000))
        newer = await loaded(api, "operator-b")
        await newer.save(many(600, size=3000, changed=5))
        with pytest.raises(Deposed):
            await older.save(many(600, size=3000, changed=7))
        with pytest.raises(Deposed):
            await older.save(many(600, size=3000, changed=7))
        assert with_manifests(many(600, size=3000, changed=5)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_process_of_the_same_name_is_another_writer() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        older = await loaded(api, "operator-a")
        await older.save(many(2, size=10))
        newer = await loaded(api, "operator-a")
        await newer.save(many(2, size=10))
        with pytest.raises(Deposed):
            await older.save(many(1, size=10))

    asyncio.run(scenario())


def test_first_save_of_a_leader_rewrites_every_part_under_its_name() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        await (await loaded(api, "operator-a")).save(many(600, size=3000))
        versions = {path: one["metadata"]["resourceVersion"] for path, one in api.objects.items()}
        successor = await loaded(api, "operator-b")
        assert len(versions) == await successor.save(many(600, size=3000))
        assert not any(api.objects[path]["metadata"]["resourceVersion"] == was for path, was in versions.items())

    asyncio.run(scenario())


def test_save_before_load_is_refused() -> None:
    async def scenario() -> None:
        with pytest.raises(Deposed, match="load"):
            await store(FakeApiServer()).save(many(1, size=1))

    asyncio.run(scenario())


@pytest.mark.parametrize("data", [{}, None, {"state.z": ""}, {"state.z": "!"}, {"state.z": "ü"}, {"state.z": 5}])
def test_unreadable_state_is_told_and_does_without(data: object) -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        await (await loaded(api)).save(many(3, size=10))
        api.objects[STATE]["data"] = data
        made = store(api, "operator-b")
        assert {} == await made.load()
        assert made.problem.startswith("Secret wardgate/wardgate-state cannot be read: ")
        assert made.problem.endswith(".")
        await made.save(many(2, size=10))
        again = store(api, "operator-c")
        assert with_manifests(many(2, size=10)) == with_manifests(await again.load())
        assert not again.problem

    asyncio.run(scenario())


def test_one_unreadable_part_costs_only_what_it_held() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        await (await loaded(api)).save(many(300, size=3000))
        assert 2 <= len(api.names())
        api.objects[f"{STATE}-1"]["data"] = {"state.z": base64.b64encode(b"damaged").decode()}
        made = store(api, "operator-b")
        found = await made.load()
        assert 0 < len(found) < 300
        assert "wardgate/wardgate-state-1 " in made.problem
        await made.save(many(300, size=3000))
        assert with_manifests(many(300, size=3000)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_part_that_someone_deleted_is_written_again() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        made = await loaded(api)
        await made.save(many(1, size=10))
        api.delete(STATE)
        await made.save(many(2, size=10))
        assert with_manifests(many(2, size=10)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_part_that_someone_damaged_is_written_over() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        made = await loaded(api)
        await made.save(many(1, size=10))
        damaged = api.get(STATE)
        damaged["data"] = {}
        api.replace(STATE, damaged)
        await made.save(many(2, size=10))
        assert with_manifests(many(2, size=10)) == with_manifests(await store(api).load())

    asyncio.run(scenario())


def test_api_server_that_does_not_answer_is_an_error_and_not_an_empty_state() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        client = FakeClient(api)

        def forbid(method: str, path: str) -> None:
            raise ApiError("LIST: 403 Forbidden", status=403, reason="Forbidden")

        client.before = forbid
        with pytest.raises(ApiError):
            await store(api, client=client).load()

    asyncio.run(scenario())


def test_secrets_of_other_releases_and_names_are_left_alone() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        labels = {"wardgate.dev/release": "wardgate", "wardgate.dev/role": "state"}
        for name, of in [("wardgate-state-32", labels), ("wardgate-state-x", labels), ("other-state", labels)]:
            api.create(STATE.rpartition("/")[0], {"metadata": {"name": name, "labels": of}, "data": {}})
        before = api.snapshot()
        made = store(api)
        assert {} == await made.load()
        assert not made.problem
        await made.save(many(1, size=1))
        assert before.items() <= api.objects.items()

    asyncio.run(scenario())


def test_object_too_large_to_be_kept_is_named() -> None:
    async def scenario() -> None:
        made = await loaded(FakeApiServer())
        large = stored(1, size=MAX_OBJECT)
        await made.save(forms([large, stored(2)]))
        assert (large.ref,) == made.left_out
        await made.save(forms([stored(2)]))
        assert not made.left_out

    asyncio.run(scenario())


def test_one_large_object_alone_needs_no_second_part() -> None:
    async def scenario() -> None:
        api = FakeApiServer()
        made = await loaded(api)
        await made.save(forms([stored(1, size=TARGET - 300)]))
        assert {"wardgate-state"} == api.names()
        assert () == made.left_out

    asyncio.run(scenario())
