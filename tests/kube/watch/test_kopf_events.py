"""kopf kept running: started with the kinds there are, started again when it ends, told from a list to an event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.kube.beside import beside, settle
from tests.kube.fake_collection import FakeCollection, RecordingSink
from tests.kube.manifests import external_service
from tests.kube.virtual_time import VirtualTime
from wardgate.kube.watch.kopf_events import KopfEvents
from wardgate.kube.watch.kopf_thread import Observed
from wardgate.kube.watch.objects import SeenStatus, seen_status, stored_object
from wardgate.problems import ObjectRef

KIND = "ExternalService"


class FakeThread:
    """kopf as far as its keeper sees it."""

    started: list[FakeThread]

    def __init__(self, resources: list[Any], *, observe: Callable[[Observed], None], **rest: Any) -> None:
        self.kinds = {resource.kind for resource in resources}
        self.observe = observe
        self.rest = rest
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.is_stopped = False

    def start(self) -> None:
        FakeThread.started.append(self)

    async def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture(autouse=True)
def _no_kopf(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    FakeThread.started = []
    monkeypatch.setattr("wardgate.kube.watch.kopf_events.KopfThread", FakeThread)
    yield
    assert all(thread.is_stopped for thread in FakeThread.started)


@dataclass
class Run:
    kopf_events: KopfEvents
    sink: RecordingSink
    time: VirtualTime
    kinds: set[str] = field(default_factory=lambda: {KIND, "RouteTable"})
    relisted: list[str] = field(default_factory=list)

    @property
    def threads(self) -> list[FakeThread]:
        return FakeThread.started

    async def after(self, seconds: float) -> None:
        self.time.pass_time(seconds)
        await settle()


def keep(scenario: Callable[[Run], Awaitable[None]], *, kinds: set[str] | None = None, **rest: Any) -> None:
    async def main() -> None:
        time, sink = VirtualTime(), RecordingSink()
        run: Run
        kopf_events = KopfEvents(
            FakeCollection(),
            sink=sink,
            timing=time.timing,
            watchable=lambda: frozenset(run.kinds),
            on_relist=lambda kind: run.relisted.append(kind),  # noqa: PLW0108 - bound later
            **rest,
        )
        run = Run(kopf_events, sink, time)
        run.kinds = run.kinds if kinds is None else kinds
        async with beside(kopf_events.run(), name="kopf events"):
            await scenario(run)

    asyncio.run(main())


def seen(name: str = "a", *, version: int = 5, deleted: bool = False, listed: bool = False) -> Observed:
    manifest = {**external_service(name, version=version), "status": {"seen": version}}
    obj, status = stored_object(KIND, manifest), seen_status(KIND, manifest)
    return Observed(obj.ref, version, None if deleted else obj, status=None if deleted else status, was_listed=listed)


def test_all_kinds_that_can_be_watched_are() -> None:
    async def scenario(run: Run) -> None:
        assert [{KIND, "RouteTable"}] == [thread.kinds for thread in run.threads]
        assert {KIND, "RouteTable"} == run.kopf_events.watching

    keep(scenario)


def test_nothing_is_started_before_there_is_a_kind() -> None:
    async def scenario(run: Run) -> None:
        assert [] == run.threads
        run.kinds = {KIND}
        run.kopf_events.look_again()
        await settle()
        assert [{KIND}] == [thread.kinds for thread in run.threads]

    keep(scenario, kinds=set())


def test_kinds_that_come_one_after_the_other_cost_one_restart() -> None:
    async def scenario(run: Run) -> None:
        for kind in ("ExtAuthPolicy", "VirtualGateway"):
            run.kinds = run.kinds | {kind}
            run.kopf_events.look_again()
            await settle()
        await run.after(0.3)
        assert [2, 4] == [len(thread.kinds) for thread in run.threads]
        assert run.threads[0].is_stopped

    keep(scenario)


def test_same_kinds_as_before_cost_none() -> None:
    async def scenario(run: Run) -> None:
        run.kopf_events.look_again()
        await settle()
        await run.after(0.3)
        assert len(run.threads) == 1

    keep(scenario)


def test_rolled_back_history_costs_one_with_the_same_kinds() -> None:
    async def scenario(run: Run) -> None:
        run.kopf_events.begin_anew()
        await settle()
        await run.after(0.3)
        assert [True, False] == [thread.is_stopped for thread in run.threads]
        assert run.threads[0].kinds == run.threads[1].kinds

    keep(scenario)


def test_kopf_that_ended_is_started_again_and_its_kinds_are_listed(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(run: Run) -> None:
        run.threads[0].ended.set_result("APINotFoundError")
        await settle()
        assert ([KIND, "RouteTable"], frozenset()) == (run.relisted, run.kopf_events.watching)
        await run.after(0.05)
        assert len(run.threads) == 2

    keep(scenario)
    assert "kopf stopped watching (APINotFoundError) and is started again" in caplog.text


def test_kopf_that_ends_again_and_again_is_started_slower_and_slower() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(4):
            run.threads[-1].ended.set_result("")
            await settle()
            await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.2, 0.4] == run.time.slept

    keep(scenario)


def test_kopf_that_ran_for_a_while_is_started_at_once() -> None:
    async def scenario(run: Run) -> None:
        for lasted in (0, 0, 30):
            await run.after(lasted)
            run.threads[-1].ended.set_result("")
            await settle()
            await run.after(run.time.slept[-1])
        assert [0.05, 0.1, 0.05] == run.time.slept

    keep(scenario)


def test_kopf_that_ends_while_other_kinds_settle_is_noticed() -> None:
    async def scenario(run: Run) -> None:
        run.kopf_events.look_again()
        await settle()
        run.threads[0].ended.set_result("")
        await run.after(0.3)
        await run.after(0.05)
        assert len(run.threads) == 2

    keep(scenario)


def test_fault_of_the_thread_itself_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(thread: FakeThread) -> None:
        if not FakeThread.started:
            FakeThread.started.append(thread)
            thread.is_stopped = True
            raise RuntimeError

    monkeypatch.setattr(FakeThread, "start", fail)

    async def scenario(run: Run) -> None:
        assert [0.05] == run.time.slept

    keep(scenario)


def test_events_reach_the_sink() -> None:
    async def scenario(run: Run) -> None:
        run.threads[0].observe(seen(version=5))
        run.threads[0].observe(seen(version=6, deleted=True))
        assert ["changed a to 5", "removed a at 6"] == run.sink.take()

    keep(scenario)


@pytest.mark.parametrize(("namespaces", "scope"), [((), ""), (("apps",), "apps")])
def test_scope_is_that_of_the_list(namespaces: tuple[str, ...], scope: str) -> None:
    async def scenario(run: Run) -> None:
        scopes = []
        run.sink.changed = lambda obj, *, scope: scopes.append(scope)  # type: ignore[method-assign]
        run.threads[0].observe(seen())
        assert [scope] == scopes
        assert namespaces == run.threads[0].rest["namespaces"]

    keep(scenario, namespaces=namespaces)


def test_statuses_are_told_of_what_is_there() -> None:
    told: list[SeenStatus] = []

    async def scenario(run: Run) -> None:
        run.threads[0].observe(seen(version=6))
        run.threads[0].observe(seen(version=7, deleted=True))
        assert [SeenStatus(seen().ref, "uid-apps-a", 6, {"seen": 6})] == told

    keep(scenario, on_status=told.append)


def test_statuses_of_foreign_objects_are_told_to_nobody() -> None:
    told: list[SeenStatus] = []
    manifest = {**external_service("a", version=6), "status": {"seen": 6}}

    async def scenario(run: Run) -> None:
        obj, status = stored_object("JWTPolicy", manifest), seen_status("JWTPolicy", manifest)
        run.threads[0].observe(Observed(obj.ref, 6, obj, status, was_listed=False))
        assert (["changed a to 6"], []) == (run.sink.take(), told)

    keep(scenario, kinds={"JWTPolicy"}, on_status=told.append)


def test_list_is_told_once_however_many_objects_it_has() -> None:
    async def scenario(run: Run) -> None:
        for number in range(5):
            run.threads[0].observe(seen(f"a{number}", listed=True))
        assert [KIND] == run.relisted
        await run.after(10)
        run.threads[0].observe(seen("a0", version=9, listed=True))
        assert [KIND, KIND] == run.relisted

    keep(scenario)


def test_list_that_follows_another_at_once_is_told_too() -> None:
    async def scenario(run: Run) -> None:
        for _ in range(2):
            for name in ("a", "b"):
                run.threads[0].observe(seen(name, listed=True))
        assert [KIND, KIND] == run.relisted

    keep(scenario)


def test_lists_of_two_namespaces_are_told_apart() -> None:
    async def scenario(run: Run) -> None:
        for namespace in ("apps", "lab"):
            manifest = external_service("a", namespace=namespace)
            obj = stored_object(KIND, manifest)
            run.threads[0].observe(Observed(obj.ref, 1, obj, seen_status(KIND, manifest), was_listed=True))
        assert [KIND, KIND] == run.relisted

    keep(scenario, namespaces=("apps", "lab"))


def test_list_that_follows_another_soon_and_shares_no_object_with_it_is_told_too() -> None:
    async def scenario(run: Run) -> None:
        run.threads[0].observe(seen("a", listed=True))
        await run.after(1.5)
        run.threads[0].observe(seen("b", listed=True))
        assert [KIND, KIND] == run.relisted

    keep(scenario)


def test_events_of_a_watch_are_no_list() -> None:
    async def scenario(run: Run) -> None:
        run.threads[0].observe(seen())
        assert [] == run.relisted
        assert ObjectRef(KIND, "apps", "a") == seen().ref

    keep(scenario)
