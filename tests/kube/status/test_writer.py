"""The writer brings statuses about: with the fewest writes, at a bounded rate, and whatever the API server does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.kube.fake_api_server import refused
from tests.kube.object_statuses import ObjectStatuses, Status
from tests.kube.passing_time import PassingTime
from tests.kube.verdicts import AT_NOON, NOON, POLICY, condition, desired, manifest, verdict
from wardgate.api import Approval
from wardgate.kube.api.errors import ConnectionFailed, KubeError
from wardgate.kube.status.key_expiry import KeyExpiries
from wardgate.kube.status.manifest import Desired, not_programmed
from wardgate.kube.status.writer import FORBIDDEN, REFRESH, SETTLE, StatusWriter
from wardgate.problems import ObjectRef

_ALIEN: dict[str, object] = {"type": "Reconciled", "status": "True"}


class Bench:
    """A writer, its API server and the time. Runs nothing by itself."""

    def __init__(self, *, rate: float = 20.0, burst: int = 50, enabled: bool = True) -> None:
        self.api = ObjectStatuses()
        self.time = PassingTime()
        self.told: list[tuple[Desired, Mapping[str, Any] | None]] = []
        self.news = asyncio.Event()
        self.writer = StatusWriter(
            self.api,
            now=self.time.now,
            clock=self.time.clock,
            sleep=self.time.sleep,
            rate=rate,
            burst=burst,
            enabled=enabled,
            written=self._written,
        )

    def _written(self, desired: Desired, before: Mapping[str, Any] | None) -> None:
        self.told.append((desired, before))
        self.news.set()

    def want(self, *wanted: Desired) -> float:
        """Submit and write what is due; the seconds until more may be."""
        self.writer.submit({one.verdict.ref: one for one in wanted})
        return self.go()

    def go(self, *, later: float = 0.0) -> float:
        self.time.seconds += later
        return asyncio.run(self.writer.write_due())


def _many(count: int) -> list[Desired]:
    refs = [ObjectRef("RouteTable", "team", f"table-{number}") for number in range(count)]
    return [desired(verdict(ref=ref)) for ref in refs]


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.api.add(POLICY)
    return made


def test_status_is_written(bench: Bench) -> None:
    bench.want(desired(verdict(message="Fine.")))

    assert manifest(desired(verdict(message="Fine."))) == bench.api.status(POLICY)
    assert ["/apis/security.policy.gloo.solo.io/v2/namespaces/team/extauthpolicies/apikey/status"] == [
        path for path, _ in bench.api.patches
    ]
    assert 1 == bench.writer.writes
    assert 0 == bench.writer.pending


def test_status_that_stands_already_is_not_written(bench: Bench) -> None:
    bench.api.add(POLICY, manifest())
    bench.want(desired())

    assert [] == bench.api.patches
    assert 1 == len(bench.api.reads)


def test_status_that_a_watch_has_shown_is_not_read(bench: Bench) -> None:
    bench.writer.seen(POLICY, manifest(), uid="uid-1", version=101)
    bench.want(desired())

    assert ([], []) == (bench.api.reads, bench.api.patches)


def test_object_that_a_watch_has_shown_without_status_is_not_read(bench: Bench) -> None:
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.want(desired())

    assert ([], 1) == (bench.api.reads, len(bench.api.patches))


def test_new_generation_is_read_before_it_is_written_where_nobody_watches(bench: Bench) -> None:
    bench.want(desired())
    bench.api.overwrite(POLICY, {**bench.api.status(POLICY), "reports": {}})
    bench.want(desired(verdict(generation=2)))

    assert (2, 2, 0) == (len(bench.api.reads), len(bench.api.patches), bench.writer.failures)


def test_new_generation_that_a_watch_has_shown_is_not_read(bench: Bench) -> None:
    bench.writer.seen(POLICY, None, uid="uid-1", version=bench.api.version(POLICY))
    bench.want(desired())
    bench.want(desired(verdict(generation=2)))

    assert ([], 2) == (bench.api.reads, len(bench.api.patches))


def test_only_what_changed_is_sent(bench: Bench) -> None:
    bench.want(desired(verdict(counts={"num_selected_routes": 1})))
    bench.want(desired(verdict(counts={"num_selected_routes": 2})))

    assert {"metadata": {"resourceVersion": "102"}, "status": {"numSelectedRoutes": 2}} == bench.api.patches[-1][1]


def test_the_same_again_is_not_written(bench: Bench) -> None:
    bench.want(desired())
    bench.want(desired(), *_many(0))
    bench.writer.submit({POLICY: replace(desired(), expiries=KeyExpiries(((1,),)))})
    bench.go()

    assert 1 == len(bench.api.patches)


@pytest.mark.parametrize(
    "keep",
    [
        pytest.param(lambda status: {}, id="drops everything"),
        pytest.param(lambda status: {"common": status["common"]}, id="knows the envelope alone"),
        pytest.param(lambda status: {**status, "numSelectedRoutes": 99}, id="changes a value"),
        pytest.param(lambda status: {**status, "added": True}, id="adds a field"),
    ],
)
def test_what_the_server_makes_of_a_status_causes_no_second_write(bench: Bench, keep: Any) -> None:
    bench.api.api.keep = keep
    bench.want(desired(verdict(counts={"num_selected_routes": 1})))
    answered = dict(bench.api.status(POLICY))
    bench.writer.seen(POLICY, answered, uid="uid-1", version=500)
    bench.go(later=60)
    bench.want(desired(verdict(counts={"num_selected_routes": 1}), programming=not_programmed()))
    bench.want(desired(verdict(counts={"num_selected_routes": 1})))
    bench.go(later=60)

    assert 1 == len(bench.api.patches)


def test_change_that_would_be_dropped_is_not_sent(bench: Bench) -> None:
    bench.api.api.keep = lambda status: {"common": status["common"]}
    bench.want(desired(programming=not_programmed()))
    bench.go(later=SETTLE)
    bench.want(desired())

    assert 1 == len(bench.api.patches)


def test_change_that_will_be_kept_is_sent_although_others_were_dropped(bench: Bench) -> None:
    bench.api.api.keep = lambda status: {"common": status["common"]}
    bench.want(desired())
    bench.want(desired(verdict(Approval.INVALID, message="Bad.", generation=2)))

    assert "INVALID" == bench.api.status(POLICY)["common"]["State"]["approval"]
    assert "conditions" in bench.api.patches[-1][1]["status"]


def test_times_go_on_where_conditions_are_dropped(bench: Bench) -> None:
    bench.api.api.keep = lambda status: {"common": status["common"]}
    bench.want(desired())
    bench.time.seconds += 100
    bench.want(desired(verdict(generation=2)))

    assert AT_NOON == condition(bench.api.patches[-1][1]["status"], "Ready")["lastTransitionTime"]


def test_conditions_of_others_stay(bench: Bench) -> None:
    bench.api.add(POLICY, {"conditions": [_ALIEN], "reports": {"x": 1}})
    bench.want(desired())

    assert _ALIEN in bench.api.status(POLICY)["conditions"]
    assert {"x": 1} == bench.api.status(POLICY)["reports"]


def test_condition_that_somebody_adds_meanwhile_is_not_lost(bench: Bench) -> None:
    bench.api.add(POLICY, {"conditions": [_ALIEN]})
    newer = {"type": "Audited", "status": "True"}
    bench.want()
    others = iter([{"conditions": [_ALIEN, newer]}])

    def write_first() -> None:
        for status in others:
            bench.api.overwrite(POLICY, status)

    bench.api.before_patch = write_first
    bench.want(desired())

    kept = bench.api.status(POLICY)["conditions"]
    assert [_ALIEN, newer] == [one for one in kept if one["type"] not in {"Accepted", "Programmed", "Ready"}]
    assert 3 + 2 == len(kept)


def test_generation_that_proxies_are_about_to_take_is_told_in_one_write(bench: Bench) -> None:
    rest = bench.want(desired(programming=not_programmed()))
    bench.time.seconds += rest / 2
    bench.want(desired())
    bench.go(later=10)

    assert pytest.approx(SETTLE) == rest
    assert ["True"] == [condition(patch["status"], "Programmed")["status"] for _, patch in bench.api.patches]


def test_generation_that_proxies_do_not_take_is_told_after_a_moment(bench: Bench) -> None:
    bench.want(desired(programming=not_programmed()))
    assert [] == bench.api.patches

    bench.go(later=SETTLE)
    assert "False" == condition(bench.api.status(POLICY), "Programmed")["status"]


def test_constant_change_does_not_put_a_write_off(bench: Bench) -> None:
    for generation in range(1, 8):
        bench.want(desired(verdict(generation=generation), programming=not_programmed()))
        bench.time.seconds += SETTLE * 2 / 3

    assert 2 == len(bench.api.patches)


def test_rate_is_bounded_after_a_burst() -> None:
    bench = Bench(rate=10.0, burst=5)
    wanted = _many(25)
    for one in wanted:
        bench.api.add(one.verdict.ref)
        bench.writer.seen(one.verdict.ref, None, uid="uid-1", version=bench.api.version(one.verdict.ref))
    bench.want(*wanted)

    assert 25 == len(bench.api.patches)
    assert pytest.approx(2.0) == sum(bench.time.slept)


def test_reads_count_against_the_rate() -> None:
    bench = Bench(rate=10.0, burst=2)
    bench.api.add(POLICY)
    bench.want(desired(), *_many(0))
    bench.api.add(POLICY, uid="uid-2")
    bench.want(desired(verdict(uid="uid-2")))

    assert pytest.approx(0.2) == sum(bench.time.slept)


def test_newest_wins_while_the_rate_holds_back() -> None:
    bench = Bench(rate=1.0, burst=1)
    bench.api.add(POLICY)
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    other = ObjectRef("RouteTable", "team", "other")
    bench.api.add(other)
    bench.writer.seen(other, None, uid="uid-1", version=bench.api.version(other))

    async def change_mind(seconds: float) -> None:
        bench.time.seconds += seconds
        bench.writer.submit({POLICY: desired(verdict(message="Newest."))})

    bench.writer._sleep = change_mind
    bench.want(desired(verdict(ref=other)), desired(verdict(message="Old.")))

    assert [other.name, POLICY.name] == [path.split("/")[-2] for path, _ in bench.api.patches]
    assert "Newest." == bench.api.status(POLICY)["common"]["State"]["message"]


def test_object_that_is_left_out_while_the_rate_holds_back_is_left_alone() -> None:
    bench = Bench(rate=1.0, burst=1)
    first, second = _many(2)
    for one in (first, second):
        bench.api.add(one.verdict.ref)
        bench.writer.seen(one.verdict.ref, None, uid="uid-1", version=bench.api.version(one.verdict.ref))

    async def change_mind(seconds: float) -> None:
        bench.time.seconds += seconds
        bench.writer.submit({first.verdict.ref: first})

    bench.writer._sleep = change_mind
    bench.want(first, second)

    assert [first.verdict.ref.name] == [path.split("/")[-2] for path, _ in bench.api.patches]


def test_submitting_costs_nothing_and_is_worked_off_in_slices() -> None:
    bench = Bench()
    wanted = _many(1000)
    turns = 0

    async def play() -> None:
        async def count_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.get_running_loop().create_task(count_turns())
        bench.writer.submit({one.verdict.ref: one for one in wanted})
        assert [] == list(bench.writer._entries)
        await bench.writer._compare()
        counting.cancel()

    asyncio.run(play())
    assert 1000 == len(bench.writer._entries)
    assert turns >= 10


def test_object_that_is_left_out_is_left_alone(bench: Bench) -> None:
    bench.writer.submit({POLICY: desired()})
    bench.want()

    assert ([], []) == (bench.api.reads, bench.api.patches)


def test_nothing_is_written_where_statuses_are_off() -> None:
    bench = Bench(enabled=False)
    bench.api.add(POLICY)
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.want(desired())

    assert ([], [], 0) == (bench.api.reads, bench.api.patches, bench.writer.pending)


@pytest.mark.parametrize("known", [True, False])
def test_deleted_object_is_forgotten(bench: Bench, *, known: bool) -> None:
    if known:
        bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.api.api.objects.clear()
    bench.want(desired())
    bench.go(later=1000)

    assert 1 == len(bench.api.reads) + len(bench.api.patches)
    assert 0 == bench.writer.pending


def test_object_made_anew_gets_a_status_of_its_own(bench: Bench) -> None:
    bench.want(desired())
    bench.api.add(POLICY, uid="uid-2")
    bench.want(desired(verdict(uid="uid-2")))

    assert manifest() == bench.api.status(POLICY)


def test_verdict_on_a_deleted_object_is_not_written_on_its_successor(bench: Bench) -> None:
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.api.add(POLICY, uid="uid-2")
    bench.want(desired())
    bench.go(later=1000)

    assert {} == bench.api.status(POLICY)
    assert 1 == len(bench.api.patches), "refused for the version in it"


def test_conflict_is_read_again_and_written(bench: Bench) -> None:
    bench.api.refuse = [refused(409)]
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.want(desired())

    assert manifest() == bench.api.status(POLICY)
    assert (1, 1) == (bench.writer.failures, bench.writer.writes)


def test_conflicts_without_end_are_tried_less_and_less_often(bench: Bench) -> None:
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.writer.submit({POLICY: desired()})
    bench.api.before_patch = lambda: bench.api.refuse.append(refused(409))
    waits: list[float] = []
    for _ in range(8):
        waits.append(bench.go(later=waits[-1] if waits else 0.0))

    assert [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == pytest.approx(waits)


@pytest.mark.parametrize(
    "error", [refused(500), refused(503), refused(429), ConnectionFailed("PATCH: refused")], ids=str
)
def test_everything_waits_while_the_api_server_is_away(bench: Bench, error: KubeError) -> None:
    wanted = [desired(), *_many(3)]
    for one in wanted:
        bench.api.add(one.verdict.ref)
    bench.api.refuse = [error] * 3
    waits = [bench.want(*wanted)]
    waits += [bench.go(later=waits[-1]), bench.go(later=1.0), bench.go(later=2.0)]

    assert [0.5, 1.0, 2.0, REFRESH] == pytest.approx(waits)
    assert 3 == bench.writer.failures
    assert 4 == bench.writer.writes


def test_missing_right_is_told_once_for_each_kind(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    tables = _many(20)
    for one in tables:
        bench.api.add(one.verdict.ref)
    bench.api.refuse = [refused(403, "Forbidden")]
    bench.want(*tables)
    bench.api.refuse = [refused(403, "Forbidden")]
    bench.go(later=FORBIDDEN)

    (told,) = caplog.messages
    assert "Statuses of kind RouteTable cannot be written" in told
    assert "Grant the operator patch on routetables/status" in told
    assert "--status=off" in told
    assert 2 == len(bench.api.reads) + len(bench.api.patches)


def test_other_kinds_go_on_while_one_is_forbidden(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    (table,) = _many(1)
    bench.api.add(table.verdict.ref)
    bench.api.refuse = [refused(403, "Forbidden")]
    bench.want(table, desired())

    assert manifest() == bench.api.status(POLICY)
    bench.go(later=FORBIDDEN)
    assert 2 == bench.writer.writes, "the right was granted meanwhile"
    assert 1 == len(caplog.messages)


def test_status_that_a_schema_refuses_is_not_tried_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.api.refuse = [refused(422, "Invalid")]
    bench.writer.seen(POLICY, None, uid="uid-1", version=101)
    bench.want(desired())
    bench.writer.seen(POLICY, {"x": 1}, uid="uid-1", version=bench.api.overwrite(POLICY, {"x": 1}))
    bench.go(later=1000)

    assert 1 == len(bench.api.patches)
    assert ["The status of ExtAuthPolicy team/apikey cannot be written: 422 Invalid"] == caplog.messages

    bench.want(desired(verdict(generation=2)))
    assert 2 == len(bench.api.patches)


def test_status_that_somebody_overwrote_is_put_right(bench: Bench) -> None:
    bench.want(desired())
    version = bench.api.overwrite(POLICY, {"common": {"State": {"approval": "FAILED"}}})
    bench.writer.seen(POLICY, bench.api.status(POLICY), uid="uid-1", version=version)
    bench.go(later=1)

    assert manifest() == bench.api.status(POLICY)


def test_late_echo_of_an_older_version_changes_nothing(bench: Bench) -> None:
    bench.want(desired(verdict(generation=1)))
    echo = dict(bench.api.status(POLICY))
    bench.want(desired(verdict(generation=2)))
    bench.writer.seen(POLICY, echo, uid="uid-1", version=102)
    bench.go(later=1)

    assert 2 == len(bench.api.patches)


def test_somebody_who_keeps_overwriting_is_answered_ever_more_rarely(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.want(desired())
    theirs: Status = {"common": {"State": {"approval": "FAILED"}}}
    for _ in range(200):
        if theirs != bench.api.status(POLICY):
            version = bench.api.overwrite(POLICY, theirs)
            bench.writer.seen(POLICY, theirs, uid="uid-1", version=version)
        bench.go(later=1)

    assert 10 <= len(bench.api.patches) <= 12
    assert 1 == len(caplog.messages)
    assert "Somebody else keeps changing the status of ExtAuthPolicy team/apikey." in caplog.text


def test_patience_is_new_after_a_time_of_peace(bench: Bench) -> None:
    bench.want(desired())
    for _ in range(8):
        version = bench.api.overwrite(POLICY, {})
        bench.writer.seen(POLICY, {}, uid="uid-1", version=version)
        bench.go(later=601)

    assert 9 == len(bench.api.patches)


def test_expiry_is_told_when_its_time_has_come(bench: Bench) -> None:
    expiries = KeyExpiries(((int(NOON.timestamp()) + 90,),))
    bench.want(desired(verdict(counts={"keys": {"usable": 1}}), expiries=expiries))
    bench.go(later=REFRESH)
    assert 1 == bench.api.status(POLICY)["keys"]["usable"]

    bench.go(later=REFRESH)
    assert {
        "usable": 0,
        "rejected": 1,
        "duplicate": 0,
        "expiringSoon": 0,
        "rejectedReasons": {"ExpiredKey": 1},
    } == bench.api.status(POLICY)["keys"]
    assert 2 == len(bench.api.patches)


def test_listener_is_told_what_was_written_and_what_stood_there(bench: Bench) -> None:
    bench.api.add(POLICY, {"common": {"State": {"approval": "FAILED"}}})
    bench.want(desired())
    bench.want(desired(verdict(generation=2)))

    assert [desired(), desired(verdict(generation=2))] == [one for one, _ in bench.told]
    assert [{"common": {"State": {"approval": "FAILED"}}}, manifest()] == [before for _, before in bench.told]


def test_everything_is_learnt_anew_after_history_was_rolled_back(bench: Bench) -> None:
    bench.want(desired())
    bench.api.overwrite(POLICY, {})
    bench.writer.forget()
    bench.want(desired())

    assert manifest() == bench.api.status(POLICY)


def test_running_writer_wakes_up_for_what_is_submitted(bench: Bench) -> None:
    async def play() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            running = group.create_task(bench.writer.run())
            for generation in (1, 2):
                await asyncio.sleep(0)
                bench.news.clear()
                bench.writer.submit({POLICY: desired(verdict(generation=generation))})
                await bench.news.wait()
            running.cancel()

    asyncio.run(play())
    assert 2 == bench.api.status(POLICY)["observedGeneration"]


def test_other_numbers_and_words_are_let_be(bench: Bench) -> None:
    """Two releases that serve the same policy count their own routes, and each is right."""
    bench.want(desired(verdict(counts={"num_selected_routes": 1})))
    theirs = {**manifest(), "numSelectedRoutes": 7}
    bench.writer.seen(POLICY, theirs, uid="uid-1", version=bench.api.overwrite(POLICY, theirs))
    bench.go(later=60)
    assert 1 == len(bench.api.patches)

    bench.want(desired(verdict(generation=2, counts={"num_selected_routes": 1})))
    assert 2 == len(bench.api.patches)


def test_status_of_an_earlier_object_of_the_name_that_is_told_late_is_passed_over(bench: Bench) -> None:
    bench.writer.submit({POLICY: desired(programming=not_programmed())})
    bench.writer.seen(POLICY, {"old": True}, uid="uid-0", version=99)
    bench.go()
    bench.writer.seen(POLICY, {"old": True}, uid="uid-0", version=99)
    bench.go(later=SETTLE)
    bench.writer.seen(POLICY, {"old": True}, uid="uid-0", version=99)
    bench.want(desired())
    assert manifest() == bench.api.status(POLICY)


def test_status_that_is_seen_before_it_could_be_read_is_written(bench: Bench) -> None:
    bench.api.refuse = [ConnectionFailed("away")]
    bench.want(desired())
    assert [] == bench.api.patches
    bench.writer.seen(POLICY, None, uid="uid-1", version=bench.api.version(POLICY))
    bench.go(later=5)
    assert (1, 1) == (len(bench.api.reads), len(bench.api.patches))


def test_answer_that_comes_after_somebody_else_s_write_was_told_hides_nothing(bench: Bench) -> None:
    """Ours is version n, theirs n + 1, and the watch is faster than our answer."""
    theirs = {**manifest(), "conditions": [{**one, "status": "False"} for one in manifest()["conditions"]]}
    answer = bench.api.merge_patch

    async def overtaken(path: str, patch: Mapping[str, object]) -> Status:
        answered = await answer(path, patch)
        if len(bench.api.patches) == 1:
            bench.writer.seen(POLICY, theirs, uid="uid-1", version=bench.api.overwrite(POLICY, theirs))
        return answered

    bench.api.merge_patch = overtaken  # type: ignore[method-assign]
    bench.want(desired())
    bench.go(later=60)
    assert 2 == len(bench.api.patches)
    assert "True" == condition(bench.api.status(POLICY), "Accepted")["status"]


def test_read_object_is_believed_though_a_later_version_was_told_before(bench: Bench) -> None:
    """After a roll-back of the history an event of the old one may still have been on its way."""
    bench.want(desired())
    bench.writer.seen(POLICY, {"old": True}, uid="uid-1", version=10_000)
    bench.go(later=60)
    assert manifest() == bench.api.status(POLICY)


@pytest.mark.parametrize("conditions", [[{"type": []}], [5], {"type": "Accepted"}, None])
def test_status_of_any_shape_is_put_right(bench: Bench, conditions: object) -> None:
    bench.want(desired())
    theirs = {**manifest(), "common": 5, "conditions": conditions}
    bench.writer.seen(POLICY, theirs, uid="uid-1", version=bench.api.overwrite(POLICY, theirs))
    bench.go(later=1)
    assert manifest()["common"] == bench.api.status(POLICY)["common"]
    now = [one for one in bench.api.status(POLICY)["conditions"] if isinstance(one, dict)]
    said = [(one["type"], one.get("status")) for one in now]
    assert all((one["type"], "True") in said for one in manifest()["conditions"])
