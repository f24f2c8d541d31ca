"""The loop of list and watch by itself: which watch is gone on from, what is told, and when the next attempt comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from tests.kube.beside import settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, asked
from tests.kube.manifests import bookmark, event, secret
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import Manifest
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.api.list_watch import STEADY, Consumer, Pace, Trouble, follow
from wardgate.kube.api.resources import SECRETS
from wardgate.tasks import spawn

BROKEN = ConnectionFailed("The watch broke.")
KEYS = Collection(SECRETS, "apps", (("fieldSelector", "type=Opaque"),))


class Unforeseen(Exception):
    """A bug of a consumer."""


@dataclass
class Run:
    """A loop at work, and what its consumer was told. ``fatal``: the consumer ends the loop by any trouble."""

    api: FakeCollection
    time: VirtualTime
    lists: int = 0
    opened: int = 0
    events: list[Manifest] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    bug: Exception | None = None
    fatal: bool = False

    async def take_over(self) -> str:
        async for page in self.api.pages(KEYS.path, KEYS.parameters):
            self.lists += 1
            return str(page["metadata"]["resourceVersion"])
        raise AssertionError

    async def take(self, told: Manifest) -> None:
        self.events.append(told)
        if self.bug is not None:
            raise self.bug

    def has_trouble(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)
        if self.fatal:
            raise trouble.error

    def open(self) -> None:
        self.opened += 1

    async def after(self, seconds: float) -> None:
        self.time.pass_time(seconds)
        await settle()

    async def ends(self) -> None:
        """Let the open watch end in order."""
        self.api.end()
        await settle()

    async def breaks(self, error: Exception) -> None:
        self.api.tell(error)
        await settle()

    @property
    def versions(self) -> list[object]:
        """Where each watch began."""
        return [one["resourceVersion"] for one in self.api.watches]


def follows(scenario: Callable[[Run], Awaitable[None]], *, pace: Pace | None = None) -> None:
    """Run the loop in virtual time while the scenario goes on."""

    async def main() -> None:
        run = Run(FakeCollection(), VirtualTime())
        consumer = Consumer(on_list=run.take_over, on_event=run.take, on_trouble=run.has_trouble, on_open=run.open)
        loop = follow(run.api, KEYS, consumer=consumer, timing=run.time.timing, pace=pace or Pace())
        task = spawn(loop, name="loop")
        await settle()
        try:
            await scenario(run)
        finally:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if run.fatal:
            assert outcome is run.troubles[-1].error
        else:
            assert isinstance(outcome, asyncio.CancelledError)

    asyncio.run(main())


def test_list_is_followed_by_a_watch_of_the_same_objects_from_its_version() -> None:
    async def scenario(run: Run) -> None:
        assert [{"fieldSelector": "type=Opaque"}] == [asked(one) for one in run.api.lists]
        assert [{"fieldSelector": "type=Opaque", "resourceVersion": 10}] == [asked(one) for one in run.api.watches]
        assert (1, []) == (run.opened, run.troubles)

    follows(scenario)


def test_watch_that_lasted_goes_on_from_the_last_version_that_any_event_told() -> None:
    async def scenario(run: Run) -> None:
        told = [event("ADDED", secret("a", version=11)), bookmark(15), {"type": "NEW", "object": {}}]
        run.api.tell(*told)
        await run.after(STEADY)
        await run.ends()
        await run.after(0.05)
        assert (told, [10, 15], 1) == (run.events, run.versions, run.lists)

    follows(scenario)


def test_watch_that_ended_as_soon_as_it_was_opened_is_followed_by_a_list() -> None:
    async def scenario(run: Run) -> None:
        run.api.tell(bookmark(15))
        run.api.version = 20
        await run.after(STEADY - 0.1)
        await run.ends()
        await run.after(0.05)
        assert ([10, 20], 2, []) == (run.versions, run.lists, run.troubles)

    follows(scenario)


def test_list_is_due_after_ten_minutes_or_after_every_watch_where_that_is_wanted() -> None:
    async def scenario(run: Run) -> None:
        await run.after(STEADY)
        await run.ends()
        await run.after(0.05)
        assert 2 == run.lists

    follows(scenario, pace=Pace(relist=0.0))


@pytest.mark.parametrize("error", [BROKEN, refused(410, "Expired"), refused(404, "NotFound"), Unforeseen()])
def test_whatever_else_ends_a_watch_is_told_and_followed_by_a_list(error: Exception) -> None:
    async def scenario(run: Run) -> None:
        await run.after(STEADY)
        await run.breaks(error)
        await run.after(0.05)
        assert [(error, True, False)] == [(one.error, one.watching, one.is_refusal) for one in run.troubles]
        assert (2, 2) == (run.lists, run.opened)

    follows(scenario)


def test_bug_of_the_consumer_is_told_and_the_event_comes_with_the_next_list() -> None:
    async def scenario(run: Run) -> None:
        run.bug = Unforeseen()
        run.api.tell(event("ADDED", secret("a", version=11)))
        await settle()
        run.bug = None
        await run.after(0.05)
        assert ([True], 2) == ([isinstance(one.error, Unforeseen) for one in run.troubles], run.lists)

    follows(scenario)


@pytest.mark.parametrize(("error", "expired"), [(refused(410, "Gone"), True), (refused(429), False), (BROKEN, False)])
def test_version_that_the_server_forgot_is_told_apart(error: Exception, *, expired: bool) -> None:
    async def scenario(run: Run) -> None:
        await run.breaks(error)
        assert [expired] == [one.is_expired for one in run.troubles]

    follows(scenario)


def test_consumer_ends_the_loop_by_raising() -> None:
    async def scenario(run: Run) -> None:
        run.fatal = True
        await run.breaks(BROKEN)
        await run.after(5)
        assert (1, [BROKEN]) == (run.lists, [one.error for one in run.troubles])

    follows(scenario)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusals_have_delays_of_their_own_up_to_the_bound_that_the_consumer_set(status: int) -> None:
    async def scenario(run: Run) -> None:
        run.api.refusal = BROKEN
        await run.breaks(BROKEN)
        await run.after(0.05)
        await run.after(0.05)
        run.api.refusal = refused(status)
        for _ in range(5):
            await run.after(run.time.slept[-1])
        assert [0.05, 0.05, 0.1, 0.05, 0.1, 0.2, 0.4, 0.4] == run.time.slept
        assert [True] * 5 == [one.is_refusal for one in run.troubles[3:]]

    follows(scenario, pace=Pace(refused=0.4))


def test_watch_that_may_not_be_opened_counts_as_refused_though_the_list_is_answered() -> None:
    async def scenario(run: Run) -> None:
        run.api.watch_refusal = refused(403)
        await run.breaks(BROKEN)
        for _ in range(4):
            await run.after(run.time.slept[-1])
        assert [0.05, 0.05, 0.1, 0.2, 0.4] == run.time.slept
        run.api.watch_refusal = None
        await run.after(0.4)
        run.api.watch_refusal = refused(403)
        await run.breaks(BROKEN)
        await run.after(run.time.slept[-1])
        assert 0.05 == run.time.slept[-1]

    follows(scenario)


def test_refusal_is_told_as_new_once_until_a_watch_was_open_or_another_failure_came() -> None:
    async def scenario(run: Run) -> None:
        run.api.refusal = refused(403, "Forbidden")
        await run.breaks(BROKEN)
        for _ in range(3):
            await run.after(run.time.slept[-1])
        run.api.refusal = BROKEN
        for _ in range(2):
            await run.after(run.time.slept[-1])
        run.api.refusal = refused(403, "Forbidden")
        for _ in range(2):
            await run.after(run.time.slept[-1])
        assert [False, False, True, True, False, False, False, True] == [one.repeated for one in run.troubles]
        run.api.refusal = None
        await run.after(run.time.slept[-1])
        run.api.refusal = refused(403, "Forbidden")
        await run.breaks(refused(403, "Forbidden"))
        await run.after(run.time.slept[-1])
        assert [False, True] == [one.repeated for one in run.troubles[8:]]

    follows(scenario)
