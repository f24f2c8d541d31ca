"""A kind whose watch was lost is listed at once, and what that list says decides when the next one comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.kube.beside import beside, settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, RecordingSink
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.watch.kind_lister import PERIOD
from wardgate.kube.watch.listing import REPEAT_REFUSED
from wardgate.kube.watch.resync import Resync

KIND = "RouteTable"


def _follow(scenario: Callable[[FakeCollection, Resync, VirtualTime], Awaitable[None]]) -> None:
    async def main() -> None:
        client, time = FakeCollection(), VirtualTime()
        resync = Resync(client, sink=RecordingSink(), timing=time.timing, kinds=[KIND])
        async with beside(resync.run(), name="resync"):
            client.lists.clear()
            await scenario(client, resync, time)

    asyncio.run(main())


def test_hurry_lists_the_kind_now_and_starts_its_minute_anew() -> None:
    async def scenario(client: FakeCollection, resync: Resync, time: VirtualTime) -> None:
        time.pass_time(PERIOD / 2)
        resync.hurry(KIND)
        resync.hurry(KIND)
        await settle()
        assert 1 == len(client.lists)
        time.pass_time(PERIOD / 2)
        await settle()
        assert 1 == len(client.lists)
        time.pass_time(PERIOD / 2)
        await settle()
        assert 2 == len(client.lists)

    _follow(scenario)


def test_hurry_about_another_kind_lists_nothing() -> None:
    async def scenario(client: FakeCollection, resync: Resync, time: VirtualTime) -> None:
        resync.hurry("ExtAuthPolicy")
        await settle()
        assert [] == client.lists

    _follow(scenario)


def test_hurry_while_it_is_being_listed_lists_it_once_more() -> None:
    """What the list began with may be older than what somebody is in a hurry about."""

    async def scenario(client: FakeCollection, resync: Resync, time: VirtualTime) -> None:
        client.hold_lists = asyncio.Event()
        resync.hurry(KIND)
        await settle()
        resync.hurry(KIND)
        await settle()
        assert 1 == len(client.lists)
        client.hold_lists.set()
        await settle()
        assert 2 == len(client.lists)

    _follow(scenario)


def test_right_that_a_hurried_list_found_missing_is_asked_for_again_soon() -> None:
    async def scenario(client: FakeCollection, resync: Resync, time: VirtualTime) -> None:
        client.refusal = refused(403, "Forbidden")
        resync.hurry(KIND)
        await settle()
        assert frozenset() == resync.watchable
        client.refusal = None
        time.pass_time(REPEAT_REFUSED)
        await settle()
        assert frozenset({KIND}) == resync.watchable

    _follow(scenario)
