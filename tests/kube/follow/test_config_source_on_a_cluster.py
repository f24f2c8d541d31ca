"""The proxy's config source on a real API server, with a proxy's rights: deliveries, faults, and what it may see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.http_api import ApiError as Refusal
from tests.kube import published
from tests.kube.following import Following, following
from tests.kube.installation import ACCOUNT, Installation
from tests.kube.published import INDEX, RELEASE, bundle, bundle_of_routes
from wardgate.kube.api.connect import connect
from wardgate.kube.api.pacing import INDEX_SILENCE
from wardgate.kube.delivery.index import Manifest
from wardgate.kube.follow.revision_file import RevisionFile
from wardgate.wire.bundle import Bundle

pytestmark = [pytest.mark.slow, pytest.mark.measured]

DEADLINE = 30.0


def run(work: Coroutine[object, object, None]) -> None:
    """Run a test's coroutine as the proxy's supervisor runs, bounded in time."""

    async def bounded() -> None:
        async with asyncio.timeout(DEADLINE):
            await work

    asyncio.run(bounded())


@pytest.fixture
def installed(cluster: Cluster) -> Installation:
    return Installation.of(cluster)


@asynccontextmanager
async def proxy(
    installed: Installation,
    *,
    server: str | None = None,
    token_file: Path | None = None,
    silence: float = INDEX_SILENCE,
    cache: RevisionFile | None = None,
) -> AsyncIterator[Following]:
    kubeconfig = installed.kubeconfig(server=server, token_file=token_file)
    client = await connect(kubeconfig=str(kubeconfig), user_agent="test-proxy")
    try:
        async with following(client, location=installed.location, silence=silence, cache=cache) as at:
            yield at
    finally:
        await client.close()
        await cut_leftovers()


async def cut_leftovers() -> None:
    """Cut what says good-bye to a peer that stands still; a process that ends does that by itself."""
    transports = list(getattr(asyncio.get_running_loop(), "_transports", {}).values())
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0)


async def serving(at: Following, installed: Installation, *, sequence: int = 1) -> Bundle:
    """Publish a first config and wait for it."""
    first = bundle("first", keys=3)
    installed.publish(first, sequence=sequence)
    await at.serves(first)
    await at.until(lambda: at.delivery.connected)
    return first


def test_first_config_and_each_change_arrive(installed: Installation) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            await at.complains()
            assert "does not exist yet" in at.delivery.problem
            for number in range(1, 6):
                wanted = bundle("text", keys=number)
                installed.publish(wanted, sequence=number)
                await at.serves(wanted)
            assert ("", True, None) == (at.delivery.problem, at.delivery.connected, at.delivery.refused_sequence)

    run(scenario())


def test_config_that_was_there_before_the_proxy_is_served(installed: Installation) -> None:
    async def scenario() -> None:
        wanted = bundle(keys=60)
        installed.publish(wanted)
        async with proxy(installed) as at:
            await at.serves(wanted)
            assert wanted == at.proxy.bundles[0]

    run(scenario())


def test_config_of_several_shards_and_each_change_of_it_arrive_over_a_restart(
    installed: Installation, tmp_path: Path
) -> None:
    cache = RevisionFile(tmp_path, release=RELEASE, namespace=installed.namespace)

    async def scenario() -> None:
        configs = [bundle_of_routes(15_000, changed=number, keys=number) for number in range(3)]
        async with proxy(installed, cache=cache) as at:
            for number, wanted in enumerate(configs[:2]):
                index = installed.publish(wanted, sequence=number + 1)
                assert len(index.groups["routes"]) > 2
                await at.serves(wanted)
            main = cache.folder / "revision.json"
            await at.until(lambda: configs[1].revision in (main.read_text() if main.exists() else ""))
        async with proxy(installed, cache=cache) as at:
            await at.serves(configs[1])
            installed.publish(configs[2], sequence=3)
            await at.serves(configs[2])
            assert configs[1:] == at.proxy.bundles

    run(scenario())


@pytest.mark.parametrize("harm", [None, published.tampered, published.truncated], ids=["missing", "tampered", "cut"])
def test_bad_shard_leaves_what_is_in_force_until_it_is_mended(
    installed: Installation, harm: Callable[[Manifest], Manifest] | None
) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            first = await serving(at, installed)
            second = bundle("second", keys=3)
            index = published.index_of(second, sequence=2)
            (good,) = (
                shard for name, shard in installed.shards(second, index).items() if name.startswith("wardgate-routes-")
            )
            if harm is not None:
                installed.write(harm(good))
            installed.publish(second, sequence=2, without=good["metadata"]["name"])
            await at.complains()
            assert (first.revision, 1) == (at.proxy.revision, at.delivery.sequence)
            installed.write(good)
            await at.serves(second)
            assert ("", 2) == (at.delivery.problem, at.delivery.sequence)

    run(scenario())


def test_index_that_goes_back_is_refused_until_it_is_published_anew(installed: Installation) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            first = await serving(at, installed, sequence=9)
            installed.publish(bundle("older"), sequence=8)
            await at.complains()
            assert (first.revision, 9, 8) == (at.proxy.revision, at.delivery.sequence, at.delivery.refused_sequence)
            installed.publish(bundle("older"), sequence=10)
            await at.serves(bundle("older"))
            assert None is at.delivery.refused_sequence

    run(scenario())


def test_deleted_index_leaves_what_is_in_force(installed: Installation) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            first = await serving(at, installed)
            installed.delete(INDEX)
            await at.complains()
            assert (first.revision, True) == (at.proxy.revision, at.delivery.connected)
            second = bundle("second")
            installed.publish(second, sequence=2)
            await at.serves(second)

    run(scenario())


def test_unreadable_index_leaves_what_is_in_force(installed: Installation) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            first = await serving(at, installed)
            broken = published.index_secret(
                published.index_of(bundle("second"), sequence=2), namespace=installed.namespace
            )
            installed.write(published.with_data(broken, {"index.json": b'{"format": 1}'}))
            await at.complains()
            assert first.revision == at.proxy.revision
            installed.publish(bundle("second"), sequence=2)
            await at.serves(bundle("second"))

    run(scenario())


def test_schema_of_another_major_leaves_what_is_in_force(installed: Installation) -> None:
    async def scenario() -> None:
        async with proxy(installed) as at:
            first = await serving(at, installed)
            installed.publish(published.of_schema("2.0", bundle("newer")), sequence=2)
            await at.complains()
            assert "Schema 2.0 is not read" in at.delivery.problem
            assert (first.revision, 1) == (at.proxy.revision, at.delivery.sequence)

    run(scenario())


def test_changes_made_while_the_server_was_away_arrive_when_it_is_back(installed: Installation) -> None:
    async def scenario() -> None:
        link = installed.cluster.link()
        async with proxy(installed, server=link.url) as at:
            first = await serving(at, installed)
            link.cut()
            await at.until(lambda: not at.delivery.connected)
            assert "The API server does not answer as it should" in at.delivery.problem
            second = bundle("second")
            installed.publish(second, sequence=2)
            assert first.revision == at.proxy.revision
            link.restore()
            await at.serves(second)
            await at.until(lambda: at.delivery.connected and not at.delivery.problem)

    run(scenario())


def test_proxy_started_while_the_server_is_away_serves_once_it_is_there(installed: Installation) -> None:
    async def scenario() -> None:
        link = installed.cluster.link()
        link.cut()
        installed.publish(bundle())
        async with proxy(installed, server=link.url) as at:
            await at.complains()
            link.restore()
            await at.serves(bundle())

    run(scenario())


def test_frozen_watch_is_given_up(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        # The first shard asked for meets an idle connection that is frozen too; what follows opens new ones.
        monkeypatch.setattr("wardgate.kube.api.client.ANSWER", 1.0)
        link = installed.cluster.link()
        async with proxy(installed, server=link.url, silence=1.0) as at:
            await serving(at, installed)
            link.freeze_connections()
            second = bundle("second")
            installed.publish(second, sequence=2)
            await at.serves(second)
            assert at.delivery.connected

    run(scenario())


def test_watch_that_is_reset_over_and_over_loses_nothing(installed: Installation) -> None:
    async def scenario() -> None:
        link = installed.cluster.link()
        async with proxy(installed, server=link.url) as at:
            for number in range(1, 6):
                wanted = bundle(str(number))
                installed.publish(wanted, sequence=number)
                link.kill_connections()
                await at.serves(wanted)

    run(scenario())


def test_token_that_was_replaced_is_read_again(installed: Installation, tmp_path: Path) -> None:
    async def scenario() -> None:
        token_file = tmp_path / "token"
        token_file.write_text(installed.token)
        link = installed.cluster.link()
        async with proxy(installed, server=link.url, token_file=token_file) as at:
            await serving(at, installed)
            installed.revoke_tokens()
            new = tmp_path / "new"
            new.write_text(installed.new_token())
            # The API server goes on taking a token for some seconds after it took it last.
            await at.until(lambda: _status(installed) == 401)
            link.kill_connections()
            await at.until(lambda: not at.delivery.connected)
            assert "401" in at.delivery.problem
            new.replace(token_file)
            second = bundle("second")
            installed.publish(second, sequence=2)
            await at.serves(second)

    run(scenario())


def _status(installed: Installation) -> int:
    try:
        installed.as_proxy().get("Secret", INDEX, namespace=installed.namespace)
    except Refusal as refusal:
        return refusal.status
    return 200


def test_proxy_may_see_nothing_but_what_it_serves(installed: Installation) -> None:
    installed.publish(bundle())
    home, config = installed.home, installed.namespace
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"a": "b"}}
    installed.cluster.create(secret, namespace=home)
    mine = installed.as_proxy()

    assert INDEX == mine.get("Secret", INDEX, namespace=config)["metadata"]["name"]
    attempts: list[Callable[[], object]] = [
        lambda: mine.get("Secret", "token", namespace=home),
        lambda: mine.list("Secret", namespace=home),
        lambda: mine.list("Secret", namespace=config),
        lambda: mine.list("Secret"),
        lambda: mine.create(secret, namespace=config),
        lambda: mine.delete("Secret", INDEX, namespace=config),
        lambda: mine.patch("Secret", INDEX, {"data": {}}, namespace=config),
        lambda: mine.list("ExtAuthPolicy"),
        lambda: mine.get("ServiceAccount", ACCOUNT, namespace=home),
    ]
    for attempt in attempts:
        with pytest.raises(Refusal) as refused:
            attempt()
        assert 403 == refused.value.status


def test_proxy_asks_for_its_index_and_shards_and_nothing_else(installed: Installation) -> None:
    async def scenario() -> None:
        mark = installed.cluster.audit_mark()
        async with proxy(installed) as at:
            await serving(at, installed)
        events = installed.cluster.audit(since=mark, user=installed.user)
        assert {"get", "list", "watch"} == {event.verb for event in events}
        assert {("secrets", installed.namespace)} == {(event.resource, event.namespace) for event in events}
        assert {200} == {event.code for event in events}

    run(scenario())
