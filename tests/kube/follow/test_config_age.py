"""How old a proxy takes its config to be: since it was last known to be the one that the index names."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.kube import published
from tests.kube.following import Following, following
from tests.kube.published import bundle
from tests.kube.published_secrets import PublishedSecrets
from tests.kube.virtual_time import VirtualTime
from tests.proxy.io.bench import run

EIGHT = "2027-01-15T08:00:00Z"
"""The wall's time at the start of every test."""


async def renewed(api: PublishedSecrets, at: Following, *, to: str) -> None:
    """Renew ``verifiedAt``, and wait until the proxy has seen it."""
    index = published.index_of(bundle(), verified_at=to)
    api.put_index(published.index_secret(index))
    await at.until(lambda: at.delivery.verified_at == to)


@asynccontextmanager
async def told(api: PublishedSecrets, time: VirtualTime) -> AsyncIterator[Following]:
    """A proxy that serves its first config, of which its watch told it."""
    async with following(api, time=time) as at:
        await at.until(lambda: api.watching == 1)
        api.publish(bundle(), verified_at=EIGHT)
        await at.serves(bundle())
        yield at


async def age_after_a_lost_watch(*, verified_at: str, seconds: float) -> float:
    """How old the config is once the proxy finds this in the index, so long after its watch ended."""
    api, time = PublishedSecrets(), VirtualTime()
    async with told(api, time) as at:
        api.tell(None)
        await at.until(lambda: api.watching == 0 and len(time.slept) == 1)
        api.put_index(published.index_secret(published.index_of(bundle(), verified_at=verified_at)))
        time.pass_time(seconds)
        await at.until(lambda: at.delivery.verified_at == verified_at)
        return at.delivery.age


def test_age_grows_until_the_index_is_renewed() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.publish(bundle(), verified_at=EIGHT)
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            await at.serves(bundle())
            time.pass_time(14.0)
            assert 14.0 == at.delivery.age
            await renewed(api, at, to="2027-01-15T08:00:14Z")
            assert (0.0, 2, 1) == (at.delivery.age, at.proxy.confirmations, len(at.proxy.bundles))

    run(scenario())


def test_greater_sequence_renews_too() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with told(api, time) as at:
            time.pass_time(3.0)
            api.publish(bundle(), sequence=2)
            await at.until(lambda: at.delivery.sequence == 2)
            assert 0.0 == at.delivery.age

    run(scenario())


def test_index_that_says_the_same_as_before_renews_nothing() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        api.publish(bundle(), verified_at=EIGHT)
        async with following(api, time=time) as at:
            await at.until(lambda: api.watching == 1)
            await at.serves(bundle())
            time.pass_time(30.0)
            api.put_index(dict(api.secrets[published.INDEX]))
            await at.rest()
            assert (30.0, 1) == (at.delivery.age, at.proxy.confirmations)

    run(scenario())


def test_index_of_a_revision_that_is_not_in_force_renews_nothing() -> None:
    async def scenario() -> None:
        api, time = PublishedSecrets(), VirtualTime()
        async with told(api, time) as at:
            time.pass_time(30.0)
            api.put_index(published.index_secret(published.index_of(bundle("lost"), sequence=2)))
            await at.complains()
            assert 30.0 == at.delivery.age

    run(scenario())


@pytest.mark.parametrize(
    ("verified_at", "age"),
    [
        ("2027-01-15T07:58:20Z", 100.0),
        ("2027-01-15T07:59:59.500000+00:00", 0.5),
        ("2027-01-15T08:30:00Z", 0.0),
        ("yesterday", math.inf),
        ("", math.inf),
    ],
)
def test_index_that_lay_there_is_as_old_as_it_says(verified_at: str, age: float) -> None:
    async def scenario() -> None:
        api = PublishedSecrets()
        api.publish(bundle(), verified_at=verified_at)
        async with following(api, time=VirtualTime()) as at:
            await at.serves(bundle())
            await at.rest()
            assert age == at.delivery.age

    run(scenario())


def test_index_found_after_a_lost_watch_is_as_old_as_it_says() -> None:
    assert 85.0 == run(age_after_a_lost_watch(verified_at="2027-01-15T08:00:15Z", seconds=100.0))


def test_index_found_with_a_wrong_clock_makes_nothing_older() -> None:
    assert 10.0 == run(age_after_a_lost_watch(verified_at="2027-01-15T06:00:00Z", seconds=10.0))
