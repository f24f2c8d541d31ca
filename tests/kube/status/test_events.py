"""Events tell of turns, once, at a bounded rate; whatever fails is only counted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.passing_time import PassingTime
from tests.kube.verdicts import NOON, desired, manifest, verdict
from wardgate.api import Approval
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.status.events import AGAIN_AFTER, EventRecorder, event_manifest, shortened, turn
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

_ACCEPTED = verdict()
_WARNING = verdict(Approval.WARNING, message="Field x has no effect.")
_INVALID = verdict(Approval.INVALID, message="Template broken.")
_INVALID_TOO = verdict(Approval.INVALID, message="Regex broken.", reason="RegexError")
_CONFLICT = verdict(Approval.FAILED, message="An older policy has the route.")


def _stood(of: ObjectStatus) -> Any:
    return manifest(desired(of))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, _ACCEPTED, ("Normal", "Accepted", "ExtAuthPolicy team/apikey is accepted.")),
        (None, _WARNING, ("Normal", "AcceptedWithWarnings", "Field x has no effect.")),
        (None, _INVALID, ("Warning", "TemplateError", "Template broken.")),
        (None, _CONFLICT, ("Warning", "Conflicted", "An older policy has the route.")),
        (_ACCEPTED, _INVALID, ("Warning", "TemplateError", "Template broken.")),
        (_INVALID, _ACCEPTED, ("Normal", "Accepted", "ExtAuthPolicy team/apikey is accepted.")),
        (_INVALID, _INVALID_TOO, ("Warning", "RegexError", "Regex broken.")),
        (_INVALID, _CONFLICT, ("Warning", "Conflicted", "An older policy has the route.")),
    ],
)
def test_turn_is_told(before: ObjectStatus | None, after: ObjectStatus, expected: tuple[str, str, str]) -> None:
    told = turn(None if before is None else _stood(before), after)

    assert told is not None
    assert expected == (told.type, told.reason, told.note)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_ACCEPTED, verdict(generation=2)),
        (_ACCEPTED, _WARNING),
        (_WARNING, _ACCEPTED),
        (_INVALID, verdict(Approval.INVALID, message="Still broken.", generation=3)),
        (_CONFLICT, _CONFLICT),
        (None, verdict(Approval.PENDING, reason="Pending")),
    ],
)
def test_what_is_no_turn_is_not_told(before: ObjectStatus | None, after: ObjectStatus) -> None:
    assert turn(None if before is None else _stood(before), after) is None


@pytest.mark.parametrize(
    "before", [{}, {"common": None}, {"common": {"State": None}}, {"common": {"State": {"approval": []}}}]
)
def test_status_of_another_form_says_nothing(before: dict[str, Any]) -> None:
    assert turn(before, _ACCEPTED) is not None


def test_status_without_our_conditions_says_what_it_can() -> None:
    stood = {"common": _stood(_INVALID)["common"], "conditions": [None, {"type": "Other"}]}

    assert turn(stood, _INVALID) is not None, "its reason is not known"
    assert turn({"common": _stood(_ACCEPTED)["common"]}, _ACCEPTED) is None


def test_event_has_all_that_the_api_server_asks_for() -> None:
    told = turn(None, _INVALID)
    assert told is not None

    assert {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "apikey.64bf535af1000", "namespace": "team"},
        "eventTime": "2026-03-01T12:00:00.000000Z",
        "reportingController": "wardgate.dev/operator",
        "reportingInstance": "wardgate-operator-x",
        "action": "Translate",
        "type": "Warning",
        "reason": "TemplateError",
        "note": "Template broken.",
        "regarding": {
            "apiVersion": "security.policy.gloo.solo.io/v2",
            "kind": "ExtAuthPolicy",
            "namespace": "team",
            "name": "apikey",
            "uid": "uid-1",
        },
    } == event_manifest(told, instance="wardgate-operator-x", now=NOON)


def test_name_of_an_event_is_legal_however_long_the_object_s_is() -> None:
    told = turn(None, verdict(ref=ObjectRef("ExtAuthPolicy", "team", "a" * 199 + "-" + "b" * 53)))
    assert told is not None
    name = event_manifest(told, instance="x", now=NOON)["metadata"]["name"]

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", name)
    assert len(name) <= 253


@pytest.mark.parametrize("note", ["x" * 1024, "ä" * 512])
def test_note_that_fits_stays(note: str) -> None:
    assert note == shortened(note)


@pytest.mark.parametrize("note", ["x" * 1025, "ä" * 513, "€" * 1000, "x" + "😀" * 300])
def test_note_is_cut_by_bytes_and_stays_text(note: str) -> None:
    short = shortened(note)

    assert 1015 <= len(short.encode()) <= 1024
    assert note.startswith(short.removesuffix(" …"))
    assert short.endswith(" …")


def test_note_holds_nothing_that_a_terminal_obeys() -> None:
    assert "host \\x1b[2Jexample\\u202e" == shortened("host \x1b[2Jexample\u202e")
    assert shortened("\x1b" * 1000).isprintable()


class Bench:
    """A recorder, what the API server got of it, and the time."""

    def __init__(self, *, rate: float = 5.0, burst: int = 25) -> None:
        self.time = PassingTime()
        self.created: list[tuple[str, Mapping[str, Any]]] = []
        self.refuse: list[KubeError] = []
        self.news = asyncio.Event()
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

    def tell(self, *verdicts: ObjectStatus, later: float = 0.0) -> None:
        self.time.seconds += later
        for one in verdicts:
            self.recorder.tell(None, one)
        asyncio.run(self.recorder.create_waiting())


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
    bench.tell(_INVALID, _INVALID_TOO, verdict(Approval.INVALID, message="Elsewhere."), *_many(1))

    assert 4 == len(bench.created)


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
