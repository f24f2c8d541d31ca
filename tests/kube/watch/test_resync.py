"""Kinds listed again and again: when, what the answers mean, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from tests.kube.beside import beside, settle
from tests.kube.fake_api_server import refused
from tests.kube.fake_collection import FakeCollection, RecordingSink, raise_any
from tests.kube.manifests import external_service
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.api.client import Manifest, Parameters
from wardgate.kube.api.errors import ApiError, ConnectionFailed
from wardgate.kube.watch.kind_lister import PERIOD
from wardgate.kube.watch.listing import MEANT
from wardgate.kube.watch.objects import SeenStatus
from wardgate.kube.watch.resync import Resync
from wardgate.tasks import spawn

KIND = "ExternalService"
PATH = "/apis/networking.gloo.solo.io/v2/externalservices"


class FakeKinds(FakeCollection):
    """Every kind is empty but the one, and refusals are by path."""

    def __init__(self) -> None:
        super().__init__({**external_service("a", version=5), "status": {"seen": 5}})
        self.refusals: dict[str, Exception] = {}
        self.listed: list[str] = []

    async def pages(
        self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
    ) -> AsyncIterator[Manifest]:
        self.listed.append(path.rpartition("/")[2])
        raise_any(self.refusals.get(path))
        async for page in super().pages(path, parameters):
            yield page if path.endswith("externalservices") else {**page, "items": []}


@dataclass
class Run:
    client: FakeKinds
    sink: RecordingSink
    time: VirtualTime
    resync: Resync
    statuses: list[SeenStatus]
    changes: list[frozenset[str]] = field(default_factory=list)

    async def after(self, seconds: float) -> None:
        self.time.pass_time(seconds)
        await settle()


def resync(
    scenario: Callable[[Run], Awaitable[None]],
    *,
    kinds: tuple[str, ...] = (KIND,),
    namespaces: tuple[str, ...] = (),
    refusals: dict[str, Exception] | None = None,
) -> None:
    async def main() -> None:
        client, sink, time = FakeKinds(), RecordingSink(), VirtualTime()
        client.refusals = refusals or {}
        statuses: list[SeenStatus] = []
        run: Run
        it = Resync(
            client,
            sink=sink,
            timing=time.timing,
            kinds=kinds,
            namespaces=namespaces,
            on_watchable=lambda: run.changes.append(run.resync.watchable),
            on_status=statuses.append,
        )
        run = Run(client, sink, time, it, statuses)
        assert len(it.listers) == len(it.missing())
        async with beside(it.run(), name="resync"):
            await scenario(run)

    asyncio.run(main())


def test_first_lists_of_all_kinds_are_made_at_once() -> None:
    async def scenario(run: Run) -> None:
        assert {"externalservices", "routetables"} == set(run.client.listed)
        assert () == run.resync.missing()
        assert {KIND, "RouteTable"} == run.resync.watchable
        assert {KIND: 1000.0, "RouteTable": 1000.0} == run.resync.last_resync

    resync(scenario, kinds=(KIND, "RouteTable"))


def test_lists_tell_every_status() -> None:
    async def scenario(run: Run) -> None:
        assert [("a", 5, {"seen": 5})] == [(one.ref.name, one.version, one.status) for one in run.statuses]

    resync(scenario)


def test_lists_of_foreign_kinds_tell_no_status() -> None:
    class Guards(FakeKinds):
        async def get(self, path: str, parameters: Parameters | None = None) -> Manifest:
            return {"resources": [{"name": "jwtpolicies", "verbs": ["create"]}]}

        async def pages(
            self, path: str, parameters: Parameters | None = None, *, metadata_only: bool = False
        ) -> AsyncIterator[Manifest]:
            async for page in FakeCollection.pages(self, path, parameters):
                yield page

    async def main() -> None:
        statuses: list[SeenStatus] = []
        sink = RecordingSink()
        it = Resync(Guards(), sink=sink, timing=VirtualTime().timing, kinds=["JWTPolicy"], on_status=statuses.append)
        await it.list_again()
        assert (["replaced JWTPolicy [a] as of 10, at least -1"], []) == (sink.told[:1], statuses)

    asyncio.run(main())


def test_each_namespace_is_a_scope_of_its_own() -> None:
    async def scenario(run: Run) -> None:
        assert {
            f"replaced {KIND} apps[a] as of 10, at least -1",
            f"replaced {KIND} lab[a] as of 10, at least -1",
        } == set(run.sink.take())

    resync(scenario, namespaces=("apps", "lab"))


def test_list_says_how_far_the_sink_was_when_it_began() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.sink.at = 33
        await run.after(60)
        assert [f"replaced {KIND} [a] as of 10, at least 33"] == run.sink.take()

    resync(scenario)


def test_kind_is_listed_again_every_minute() -> None:
    async def scenario(run: Run) -> None:
        await run.after(59)
        assert len(run.client.listed) == 1
        await run.after(1)
        assert len(run.client.listed) == 2

    resync(scenario)


def test_kind_without_crd_is_empty_and_looked_for_again() -> None:
    async def scenario(run: Run) -> None:
        assert [f"absent {KIND}"] == run.sink.take()
        assert ((), frozenset()) == (run.resync.missing(), run.resync.watchable)
        assert "Install its CRD (externalservices.networking.gloo.solo.io)." in run.resync.problems[0]
        run.client.refusals.clear()
        await run.after(15)
        assert [f"replaced {KIND} [a] as of 10, at least -1"] == run.sink.take()
        assert [frozenset({KIND})] == run.changes
        assert () == run.resync.problems

    resync(scenario, refusals={PATH: refused(404, "NotFound")})


def test_kind_that_may_not_be_listed_is_missing_and_says_which_right_it_needs() -> None:
    async def scenario(run: Run) -> None:
        assert ([], frozenset()) == (run.sink.take(), run.resync.watchable)
        assert run.resync.missing() == run.resync.problems
        assert "Allow its ServiceAccount to list and watch externalservices there." in run.resync.problems[0]
        assert {KIND: None} == run.resync.last_resync

    resync(scenario, refusals={PATH: refused(403, "Forbidden")})


def test_right_that_is_taken_away_changes_only_what_can_be_watched() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.client.refusals[PATH] = refused(403, "Forbidden")
        await run.after(60)
        assert [] == run.sink.take()
        assert [frozenset({KIND}), frozenset()] == run.changes
        assert () == run.resync.missing()

    resync(scenario)


def test_server_that_is_away_changes_nothing_and_is_asked_again_soon() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals[PATH] = ConnectionFailed("no route")
        await run.after(60)
        assert frozenset({KIND}) == run.resync.watchable
        assert "What was last seen stays in force." in run.resync.problems[0]
        run.client.refusals.clear()
        await run.after(0.05)
        assert () == run.resync.problems

    resync(scenario)


def test_kind_that_is_late_is_told() -> None:
    async def scenario(run: Run) -> None:
        assert run.resync.is_in_time
        run.client.refusals[PATH] = ConnectionFailed("no route")
        await run.after(91)
        assert not run.resync.is_in_time

    resync(scenario)


def test_unforeseen_fault_ends_nothing_and_is_told_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        run.sink.fault = KeyError("sk-secret")
        await run.after(60)
        assert "Internal error (KeyError in _note" in run.resync.problems[0]
        await run.after(0.05)
        assert () == run.resync.problems

    resync(scenario)
    assert "sk-secret" not in caplog.text


def test_kind_can_be_listed_out_of_turn() -> None:
    async def scenario(run: Run) -> None:
        run.resync.hurry(KIND)
        run.resync.hurry(KIND)
        run.resync.hurry("RouteTable")
        await settle()
        assert len(run.client.listed) == 2

    resync(scenario)


def test_list_out_of_turn_ends_with_everything_else() -> None:
    async def scenario(run: Run) -> None:
        run.client.hold_lists = asyncio.Event()
        run.resync.hurry(KIND)
        await settle()

    resync(scenario)


def test_list_waits_for_the_one_before_it_because_a_late_older_one_would_look_like_a_roll_back() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        slow = run.client.hold_lists = asyncio.Event()
        first = spawn(run.resync.list_again(), name="first")
        await settle()
        run.client.hold_lists, run.client.version = None, 20
        second = spawn(run.resync.list_again(), name="second")
        await settle()
        slow.set()
        await asyncio.gather(first, second)
        assert ["as of 10", "as of 20"] == [one.partition("] ")[2].partition(",")[0] for one in run.sink.take()]

    resync(scenario)


def test_everything_can_be_listed_once_more_with_what_may_be_listed() -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals[PATH] = refused(403, "Forbidden")
        with pytest.raises(ApiError):
            await run.resync.list_again()
        await run.after(MEANT)
        before = len(run.client.listed)
        await run.resync.list_again()
        assert before + 2 == len(run.client.listed)

    resync(scenario, kinds=(KIND, "RouteTable"))


def test_server_that_refuses_while_it_starts_is_asked_again_soon() -> None:
    async def scenario(run: Run) -> None:
        run.sink.take()
        run.client.refusals.clear()
        await run.after(0.05)
        assert [f"replaced {KIND} [a] as of 10, at least -1"] == run.sink.take()
        assert () == run.resync.problems

    resync(scenario, refusals={PATH: refused(403, "Forbidden")})


@pytest.mark.parametrize("error", [ConnectionFailed("no route"), refused(500, "InternalError")])
def test_list_that_cannot_be_had_is_told_to_whoever_asked(error: ConnectionFailed | ApiError) -> None:
    async def scenario(run: Run) -> None:
        run.client.refusals[PATH] = error
        with pytest.raises(type(error)):
            await run.resync.list_again()

    resync(scenario)


def test_refusal_after_a_list_is_asked_about_as_soon_as_the_first_was() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(3):
            await run.after(run.time.slept[-1])
        run.client.refusals.clear()
        await run.after(run.time.slept[-1])
        run.client.refusals[PATH] = refused(403, "Forbidden")
        await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.2, 0.4, PERIOD, 0.05] == run.time.slept

    resync(scenario, refusals={PATH: refused(403, "Forbidden")})
