"""What a reflector asks for, and when: each way in which a list or a watch can go wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.kube.beside import beside, settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, RecordingSink, asked
from tests.kube.manifests import bookmark, event, secret
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ConnectionFailed
from wardgate.kube.api.list_watch import RELIST
from wardgate.kube.api.pacing import SILENCE
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.watch.reflector import Reflector
from wardgate.tasks import spawn

BROKEN = ConnectionFailed("The watch broke.")
KEYS = (("fieldSelector", "type=extauth.solo.io/apikey"),)


@dataclass
class Run:
    """A running reflector and everything around it."""

    client: FakeCollection
    sink: RecordingSink
    time: VirtualTime
    reflector: Reflector

    async def after(self, seconds: float) -> None:
        self.time.pass_time(seconds)
        await settle()

    async def breaks(self, error: Exception) -> None:
        """Let the open watch fail, and whatever follows at once."""
        self.client.tell(error)
        await settle()


def follow(client: FakeCollection, scenario: Callable[[Run], Awaitable[None]], *, random: float = 0.0) -> None:
    """Run a reflector in virtual time while the scenario goes on."""

    async def main() -> None:
        time, sink = VirtualTime(), RecordingSink()
        time.random = random
        collection = Collection(SECRETS, "apps", KEYS)
        reflector = Reflector(client, collection, sink=sink, scope="keys", timing=time.timing)
        async with beside(reflector.run(), name="reflector"):
            await scenario(Run(client, sink, time, reflector))
        assert not reflector.is_live

    asyncio.run(main())


def test_it_lists_and_watches_from_there() -> None:
    async def scenario(run: Run) -> None:
        assert ["replaced Secret keys[a,b,c] as of 10, at least -1"] == run.sink.take()
        assert [dict(KEYS)] == [asked(one) for one in run.client.lists]
        assert [{**dict(KEYS), "resourceVersion": 10}] == [asked(one) for one in run.client.watches]
        assert (True, "", 1000.0) == (run.reflector.is_live, run.reflector.problem, run.reflector.listed_at)

    follow(FakeCollection(secret("a"), secret("b", version=2), secret("c", version=3)), scenario)


def test_events_reach_the_sink_in_order() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.client.tell(
            event("ADDED", secret("a", version=11)),
            event("MODIFIED", secret("a", version=12)),
            bookmark(15),
            event("DELETED", secret("a", version=16)),
        )
        await settle()
        assert ["changed a to 11", "changed a to 12", "removed a at 16"] == run.sink.take()

    follow(FakeCollection(), scenario)


def test_bookmark_is_a_word_of_the_server() -> None:
    async def scenario(run: Run) -> None:
        await run.after(60)
        run.client.tell(bookmark(12))
        await settle()
        assert run.reflector.last_word_at == 1060.0

    follow(FakeCollection(), scenario)


@pytest.mark.parametrize(("random", "lifetime"), [(0.0, 240), (0.5, 300), (0.99, 358)])
def test_server_is_asked_to_end_each_watch_after_four_to_six_minutes(random: float, lifetime: int) -> None:
    async def scenario(run: Run) -> None:
        assert [lifetime] == [one["timeoutSeconds"] for one in run.client.watches]
        assert [SILENCE] == run.client.silences

    follow(FakeCollection(), scenario, random=random)


def test_watch_that_ended_in_order_goes_on_from_its_last_version() -> None:
    async def scenario(run: Run) -> None:
        run.client.tell(event("ADDED", secret("a", version=11)), bookmark(20))
        run.client.version = 20
        await run.after(300)
        run.client.end()
        await settle()
        await run.after(0.05)
        assert [10, 20] == [one["resourceVersion"] for one in run.client.watches]
        assert len(run.client.lists) == 1

    follow(FakeCollection(), scenario)


@pytest.mark.parametrize(
    "error", [BROKEN, refused(429, "TooManyRequests"), refused(410, "Expired"), refused(504, "Timeout")]
)
def test_watch_that_broke_is_followed_by_a_list(error: Exception) -> None:
    async def scenario(run: Run) -> None:
        run.client.tell(event("ADDED", secret("a", version=50)))
        await settle()
        run.sink.take()
        run.client.version = 60
        await run.breaks(error)
        assert not run.reflector.is_live
        await run.after(0.05)
        assert ["replaced Secret keys[] as of 60, at least 50"] == run.sink.take()
        assert ([10, 60], True) == ([one["resourceVersion"] for one in run.client.watches], run.reflector.is_live)

    follow(FakeCollection(), scenario)


def test_watch_that_could_not_be_opened_in_between_is_followed_by_a_list() -> None:
    async def scenario(run: Run) -> None:
        await run.after(300)
        run.client.watch_refusal = ConnectionFailed("no route")
        run.client.end()
        await settle()
        await run.after(0.05)
        run.client.watch_refusal = None
        await run.after(0.1)
        assert (2, True) == (len(run.client.lists), run.reflector.is_live)

    follow(FakeCollection(), scenario)


def test_event_of_another_history_leads_to_a_list() -> None:
    async def scenario(run: Run) -> None:
        run.client.version = 5
        run.client.tell(event("ADDED", secret("a", version=4)))
        await settle()
        await run.after(0.05)
        assert "replaced Secret keys[] as of 5, at least 10" == run.sink.take()[-1]

    follow(FakeCollection(), scenario)


def test_forgotten_version_leads_to_a_list() -> None:
    async def scenario(run: Run) -> None:
        run.client.items, run.client.version = [secret("b", version=90)], 100
        run.sink.take()
        await run.breaks(refused(410, "Expired"))
        await run.after(0.05)
        assert ["replaced Secret keys[b] as of 100, at least 10"] == run.sink.take()
        assert run.client.watches[-1]["resourceVersion"] == 100

    follow(FakeCollection(secret("a")), scenario)


def test_what_went_without_an_event_is_told_to_whoever_runs_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        run.client.items, run.client.version = [], 100
        await run.breaks(refused(410, "Expired"))
        await run.after(0.05)

    caplog.set_level(logging.INFO)
    follow(FakeCollection(secret("a"), secret("b", version=2)), scenario)
    assert "told of 2 deletions that no event had" in caplog.text


def test_restored_backup_is_told_to_whoever_runs_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        run.client.version = 5
        await run.breaks(BROKEN)
        await run.after(0.05)

    follow(FakeCollection(secret("a")), scenario)
    assert "The cluster's history was set back" in caplog.text


def test_attempts_come_slower_and_slower_while_the_server_is_away() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusal = ConnectionFailed("GET /api/v1/secrets: no route")
        await run.breaks(BROKEN)
        run.time.slept.clear()
        await run.after(0.05)
        for _ in range(9):
            await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0] == run.time.slept
        assert "Listing secrets (type=extauth.solo.io/apikey) in namespace apps failed" in run.reflector.problem

    follow(FakeCollection(), scenario)


def test_watch_that_is_refused_while_the_server_starts_costs_no_time_after_an_outage() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusal = ConnectionFailed("no route")
        await run.breaks(BROKEN)
        for _ in range(10):
            await run.after(run.time.slept[-1])
        run.client.refusal, run.client.watch_refusal = None, refused(429, "TooManyRequests")
        await run.after(5.0)
        run.client.watch_refusal = None
        await run.after(0.1)
        assert run.reflector.is_live

    follow(FakeCollection(), scenario)


def test_refusal_of_a_server_that_is_starting_costs_no_time_after_an_outage() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusal = ConnectionFailed("no route")
        await run.breaks(BROKEN)
        for _ in range(10):
            await run.after(run.time.slept[-1])
        run.client.refusal = refused(403, "Forbidden")
        await run.after(5.0)
        run.client.refusal = None
        await run.after(0.05)
        assert (True, False) == (run.reflector.is_live, run.reflector.refusal.is_meant)

    follow(FakeCollection(secret("a")), scenario)


def test_good_watch_makes_the_next_attempt_quick_again() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(6):
            await run.breaks(BROKEN)
            await run.after(run.time.slept[-1])
        await run.after(10)
        await run.breaks(BROKEN)
        assert run.time.slept[-2:] == [1.6, 0.05]

    follow(FakeCollection(), scenario)


def test_watches_that_end_at_once_are_not_opened_in_a_hurry() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(4):
            run.client.end()
            await settle()
            await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.2, 0.4] == run.time.slept

    follow(FakeCollection(), scenario)


def test_problem_is_over_when_a_watch_is_open_again() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusal = ConnectionFailed("no route")
        await run.breaks(BROKEN)
        await run.after(0.05)
        assert run.reflector.problem
        run.client.refusal = None
        await run.after(5)
        assert ("", True) == (run.reflector.problem, run.reflector.is_live)

    follow(FakeCollection(), scenario)


def test_everything_is_listed_again_after_ten_minutes() -> None:
    async def scenario(run: Run) -> None:
        await run.after(RELIST * 0.9)
        run.client.end()
        await settle()
        await run.after(0.05)
        assert len(run.client.lists) == 2

    follow(FakeCollection(), scenario)


def test_kind_that_is_absent_counts_as_listed_and_is_looked_for_again() -> None:
    async def scenario(run: Run) -> None:
        assert ["absent Secret"] == run.sink.take()
        assert (1000.0, True, False) == (
            run.reflector.listed_at,
            run.reflector.is_answered,
            run.reflector.is_live,
        )
        assert "does not know the kind Secret" in run.reflector.problem
        run.client.refusal = None
        await run.after(15)
        assert ["replaced Secret keys[] as of 10, at least -1"] == run.sink.take()
        assert run.reflector.problem == ""

    client = FakeCollection()
    client.refusal = refused(404, "NotFound")
    follow(client, scenario)


def test_what_may_not_be_listed_is_not_empty() -> None:
    async def scenario(run: Run) -> None:
        assert [] == run.sink.take()
        assert (None, True) == (run.reflector.listed_at, run.reflector.is_answered)
        assert "Allow its ServiceAccount to list and watch secrets there." in run.reflector.problem

    client = FakeCollection(secret("a"))
    client.refusal = refused(403, "Forbidden")
    follow(client, scenario)


def test_right_that_is_taken_away_leaves_what_was_last_seen() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.client.refusal = refused(403, "Forbidden")
        await run.breaks(BROKEN)
        await run.after(0.05)
        assert [] == run.sink.take()
        assert "does not let the operator list" in run.reflector.problem

    follow(FakeCollection(secret("a")), scenario)


def test_refusal_that_goes_on_is_meant_and_asked_about_less_and_less() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(9):
            assert not run.reflector.refusal.is_meant
            await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15.0] == run.time.slept
        await run.after(15.0)
        assert run.reflector.refusal.is_meant

    client = FakeCollection()
    client.refusal = refused(403, "Forbidden")
    follow(client, scenario)


def test_list_without_watch_does_not_become_a_list_every_second() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(9):
            await run.after(run.time.slept[-1])
        assert (15.0, False) == (run.time.slept[-1], run.reflector.is_live)
        assert "list and watch" in run.reflector.problem

    client = FakeCollection(secret("a"))
    client.watch_refusal = refused(403, "Forbidden")
    follow(client, scenario)


def test_unforeseen_fault_ends_nothing_and_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.sink.fault = KeyError("sk-secret")
        run.client.tell(event("ADDED", secret("a", version=11)))
        run.client.items, run.client.version = [secret("a", version=11)], 11
        await settle()
        assert "Internal error (KeyError in _note, line" in run.reflector.problem
        await run.after(0.05)
        assert ["replaced Secret keys[a] as of 11, at least 11"] == run.sink.take()

    follow(FakeCollection(), scenario)
    assert "Internal error (KeyError in _note, line" in caplog.text
    assert "sk-secret" not in caplog.text


def test_extra_list_tells_the_sink_and_leaves_the_watch_alone() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.sink.at = 14
        run.client.items, run.client.version = [secret("b", version=12)], 20
        await run.after(5)
        await run.reflector.list_again()
        assert ["replaced Secret keys[b] as of 20, at least 14"] == run.sink.take()
        assert (True, 1, 1005.0) == (run.reflector.is_live, len(run.client.watches), run.reflector.listed_at)

    follow(FakeCollection(secret("a")), scenario)


def test_list_waits_for_the_one_before_it_because_a_late_older_one_would_look_like_a_roll_back() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        slow = run.client.hold_lists = asyncio.Event()
        first = spawn(run.reflector.list_again(), name="first")
        await settle()
        run.client.hold_lists, run.client.version = None, 20
        second = spawn(run.reflector.list_again(), name="second")
        await settle()
        slow.set()
        await asyncio.gather(first, second)
        told = run.sink.take()
        assert ["as of 10", "as of 20"] == [one.partition("] ")[2].partition(",")[0] for one in told]

    follow(FakeCollection(), scenario)


def test_extra_list_that_fails_says_so_to_whoever_asked() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusal = BROKEN
        with pytest.raises(ConnectionFailed):
            await run.reflector.list_again()

    follow(FakeCollection(), scenario)
