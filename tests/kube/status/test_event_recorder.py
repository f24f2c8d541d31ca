"""Events are created at a bounded rate, the last word on an object is true, and a failure is only counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.passing_time import PassingTime
from tests.kube.verdicts import verdict
from wardgate.api import Approval
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.status.event_recorder import AGAIN_AFTER, TURN_EVERY, TURNS, EventRecorder
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

_ACCEPTED = verdict()
_INVALID = verdict(Approval.INVALID, message="Template broken.")
_INVALID_TOO = verdict(Approval.INVALID, message="Regex broken.", reason="RegexError")


class Bench:
    """A recorder, what the API server got of it, and the time."""

    def __init__(self, *, rate: float = 5.0, burst: int = 25) -> None:
        self.time = PassingTime()
        self.created: list[tuple[str, Mapping[str, Any]]] = []
        self.refuse: list[KubeError] = []
        self.news = asyncio.Event()
        self.rest: float | None = None
        self.recorder = EventRecorder(
            self,
            instance="pod",
            now=self.time.now,
            clock=self.time.clock,
            sleep=self.time.sleep,
            rate=rate,
            burst=burst,
        )

    async def create(self, path: str, manifest: Mapping[str, object]) -> dict[str, Any]:
        if self.refuse:
            raise self.refuse.pop(0)
        self.created.append((path, manifest))
        self.news.set()
        return dict(manifest)

    @property
    def reasons(self) -> list[Any]:
        return [manifest["reason"] for _, manifest in self.created]

    def tell(self, *verdicts: ObjectStatus, later: float = 0.0) -> None:
        self.time.seconds += later
        for one in verdicts:
            self.recorder.tell(None, one)
        self.rest = asyncio.run(self.recorder.create_waiting())


def _many(count: int) -> list[ObjectStatus]:
    return [verdict(ref=ObjectRef("RouteTable", "team", f"table-{number}")) for number in range(count)]


def test_event_is_created_in_the_namespace_of_its_object() -> None:
    bench = Bench()
    bench.tell(_INVALID)

    assert ["/apis/events.k8s.io/v1/namespaces/team/events"] == [path for path, _ in bench.created]
    assert 1 == bench.recorder.created


def test_same_event_is_not_repeated_for_ten_minutes() -> None:
    bench = Bench()
    bench.tell(_INVALID, _INVALID)
    bench.tell(_INVALID, later=AGAIN_AFTER - 1)
    assert 1 == len(bench.created)

    bench.tell(_INVALID, later=1)
    assert 2 == len(bench.created)


def test_other_reason_other_message_or_other_object_is_another_event() -> None:
    bench = Bench()
    for one in (_INVALID, _INVALID_TOO, verdict(Approval.INVALID, message="Elsewhere."), *_many(1)):
        bench.tell(one)

    assert 4 == len(bench.created)


def test_mistake_that_comes_back_is_told_again() -> None:
    bench = Bench()
    for one in (_INVALID, _ACCEPTED, _INVALID):
        bench.tell(one)

    assert ["TemplateError", "Accepted", "TemplateError"] == bench.reasons


def test_of_the_events_of_one_object_that_wait_the_newest_is_told() -> None:
    bench = Bench()
    bench.tell(_INVALID, _INVALID_TOO, _ACCEPTED)

    assert ["Accepted"] == bench.reasons


def test_event_that_waits_is_void_once_the_last_word_is_true_again() -> None:
    bench = Bench()
    bench.tell(_INVALID)
    bench.tell(_ACCEPTED, _INVALID)

    assert ["TemplateError"] == bench.reasons


def test_object_that_turns_again_and_again_is_slowed_down_and_its_last_word_is_told() -> None:
    bench = Bench()
    for _ in range(10):
        bench.tell(_INVALID)
        bench.tell(_ACCEPTED)
    assert TURNS == len(bench.created)

    bench.tell(_INVALID)
    assert (TURNS, TURN_EVERY) == (len(bench.created), bench.rest)

    bench.tell(later=TURN_EVERY)

    assert TURNS + 1 == len(bench.created)
    assert "TemplateError" == bench.reasons[-1]
    assert bench.rest is None


def test_events_are_created_at_a_bounded_rate() -> None:
    bench = Bench(rate=5.0, burst=25)
    bench.tell(*_many(35))

    assert 35 == len(bench.created)
    assert pytest.approx(2.0) == sum(bench.time.slept)


def test_too_many_events_are_dropped_and_counted() -> None:
    bench = Bench()
    for one in _many(1003):
        bench.recorder.tell(None, one)

    assert 3 == bench.recorder.dropped


def test_failures_are_counted_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    bench.refuse = [ConnectionFailed("POST: refused"), refused(500), refused(403), refused(403)]
    bench.tell(*_many(5))

    assert (4, 1) == (bench.recorder.failures, len(bench.created))
    (told,) = caplog.messages
    assert "Grant create on events" in told


def test_memory_of_what_was_told_is_bounded() -> None:
    bench = Bench(rate=1e9, burst=10**6)
    for start in range(0, 10_000, 1000):
        bench.tell(*(verdict(ref=ObjectRef("RouteTable", "n", f"{start + number}")) for number in range(1000)))
    assert 10_000 == len(bench.recorder._last)

    bench.tell(_INVALID)
    assert 1 == len(bench.recorder._last)


def test_running_recorder_wakes_up_for_what_is_told() -> None:
    bench = Bench()

    async def play() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            running = group.create_task(bench.recorder.run())
            for one in _many(2):
                await asyncio.sleep(0)
                bench.news.clear()
                bench.recorder.tell(None, one)
                await bench.news.wait()
            running.cancel()

    asyncio.run(play())
