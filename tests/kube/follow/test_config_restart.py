"""A proxy that starts again: what was kept is served at once, then the index counts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.kube import published
from tests.kube.following import RecordingProxy, following
from tests.kube.published import NAMESPACE, RELEASE, bundle
from tests.kube.published_secrets import PublishedSecrets
from tests.kube.virtual_time import WALL, VirtualTime
from tests.proxy.io.bench import run
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.follow.revision_file import KeptRevision, RevisionFile
from wardgate.wire.bundle import Bundle

AWAY = ConnectionFailed("GET /api: refused")
EIGHT = "2027-01-15T08:00:00Z"


@pytest.fixture
def cache(tmp_path: Path) -> RevisionFile:
    return RevisionFile(tmp_path, release=RELEASE, namespace=NAMESPACE)


def keep(cache: RevisionFile, *, age: float = 20.0, sequence: int = 5) -> Bundle:
    found = bundle("kept", keys=3)
    cache.write(KeptRevision(found, sequence, EIGHT, WALL - age))
    return found


def test_kept_config_is_served_while_the_server_is_away(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.list_refusal = AWAY
        found = keep(cache)
        async with following(api, time=time, cache=cache) as at:
            await at.serves(found)
            await at.until(lambda: at.delivery.sequence == 5)
            assert (20.0, False, EIGHT) == (at.delivery.age, at.delivery.connected, at.delivery.verified_at)
            assert 1 == at.proxy.confirmations
            assert f"That is the config kept in {cache.folder}, until the API server answers." in at.proxy.announced

    run(scenario())


def test_index_replaces_what_was_kept_and_gets_only_the_difference(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        found, newer = keep(cache), bundle("kept", keys=4)
        index = api.publish(newer, sequence=6)
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.serves(newer)
            assert [found.revision, newer.revision] == [one.revision for one in at.proxy.bundles]
            assert api.gets == [one.name for one in index.shards if one.sha256 not in found.hashes.values()]

    run(scenario())


def test_index_of_a_smaller_sequence_than_was_kept_is_refused(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        found = keep(cache, sequence=5)
        api.publish(bundle("older"), sequence=4)
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.complains()
            assert (found.revision, 5, 4) == (at.proxy.revision, at.delivery.sequence, at.delivery.refused_sequence)

    run(scenario())


def test_index_that_was_never_renewed_since_leaves_the_age(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        found = keep(cache, age=20.0)
        api.put_index(published.index_secret(published.index_of(found, sequence=5, verified_at=EIGHT)))
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.serves(found)
            await at.until(lambda: at.delivery.connected)
            await at.rest()
            assert (20.0, 1) == (at.delivery.age, len(at.proxy.bundles))

    run(scenario())


def test_what_was_kept_by_a_clock_that_was_set_back_is_as_old_as_can_be(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        api.list_refusal = AWAY
        found = keep(cache, age=-3600.0)
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.serves(found)
            await at.rest()
            assert math.inf == at.delivery.age

    run(scenario())


def test_every_revision_and_renewal_is_kept(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with following(api, time=time, cache=cache) as at:
            await at.until(lambda: api.watching == 1)
            api.publish(bundle(keys=2), sequence=1)
            await at.until(lambda: cache.read() is not None)
            time.pass_time(15.0)
            api.put_index(
                published.index_secret(published.index_of(bundle(keys=2), verified_at="2027-01-15T08:00:15Z"))
            )
            wanted = KeptRevision(bundle(keys=2), 1, "2027-01-15T08:00:15Z", WALL + 15.0)
            await at.until(lambda: cache.read() == wanted)

    run(scenario())


def test_volume_that_fails_is_said_once_and_costs_nothing_else(
    cache: RevisionFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    def refuse(*_: object) -> None:
        nonlocal attempts
        attempts += 1
        raise OSError(28, "No space left on device")

    async def scenario() -> None:
        monkeypatch.setattr(RevisionFile, "write", refuse)
        api = PublishedSecrets()
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.until(lambda: api.watching == 1)
            for number in (1, 2):
                api.publish(bundle(str(number)), sequence=number)
                await at.until(lambda wanted=number: attempts == wanted)  # type: ignore[misc]
            await at.until(lambda: at.delivery.sequence == 2)
            await at.rest()
            said = [text for text in at.proxy.announced if "cannot be kept" in text]
            assert ["The config cannot be kept for a restart: [Errno 28] No space left on device."] == said

    run(scenario())


def test_damaged_file_is_said_and_the_index_counts(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        keep(cache)
        (cache.folder / "revision.json").write_text("{")
        api.publish(bundle(), sequence=1)
        async with following(api, time=VirtualTime(), cache=cache) as at:
            await at.serves(bundle())
            assert "it is thrown away." in at.proxy.announced[0]

    run(scenario())


def test_kept_config_that_the_proxy_refuses_is_said_and_the_index_counts(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        found = keep(cache)
        api.publish(bundle(), sequence=1)
        proxy = RecordingProxy(refuses=lambda one: "It cannot be read." if one.revision == found.revision else "")
        async with following(api, time=VirtualTime(), cache=cache, proxy=proxy) as at:
            await at.serves(bundle())
            assert 1 == at.delivery.sequence
            assert f"The config kept in {cache.folder} cannot be served: It cannot be read." == proxy.announced[0]

    run(scenario())


def test_unforeseen_error_at_the_kept_config_leaves_the_index(cache: RevisionFile) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        found = keep(cache)
        api.publish(bundle(), sequence=1)

        def fail(one: Bundle) -> str:
            if one.revision == found.revision:
                raise ZeroDivisionError
            return ""

        async with following(api, time=VirtualTime(), cache=cache, proxy=RecordingProxy(refuses=fail)) as at:
            await at.serves(bundle())
            assert "Internal error (ZeroDivisionError) at the config that was kept." == at.proxy.announced[0]

    run(scenario())
