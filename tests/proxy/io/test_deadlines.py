"""Who owes the next bytes: slow ones are waited for, drips and silence are not."""

from __future__ import annotations

import pytest

from tests.proxy.io.bench import Clock
from wardgate.proxy.core.messages import HeaderList
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.settings import Limits, Timeouts

LIMITS = Limits(least_rate=100)
TIMEOUTS = Timeouts(
    body=60.0, collected_body=300.0, response_head=200.0, response_idle=100.0, stream_idle=400.0, request=900.0
)
EVENTS = [(b"content-type", b"Text/Event-Stream; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]


class Watch:
    """Deadlines, and the clock that they go by."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(limits=LIMITS, timeouts=TIMEOUTS, clock=self.clock)

    def after(self, seconds: float) -> ReplyReason | None:
        """What is overdue after so long."""
        self.clock.pass_time(seconds)
        return self.deadlines.overdue(self.clock())

    def body(self, *, size: int, every: float, times: int) -> list[ReplyReason | None]:
        """What is overdue at each of so many pieces."""
        found = []
        for _ in range(times):
            found.append(self.after(every))
            self.deadlines.body_came(size)
        return found


@pytest.mark.parametrize("every", [1.0, 10.0, 59.0])
def test_body_that_drips_is_overdue_after_one_window_in_all(every: float) -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    pieces = watch.body(size=1, every=every, times=100)
    assert pieces.index(ReplyReason.REQUEST_TIMEOUT) == pytest.approx(61 // every, abs=1)


@pytest.mark.parametrize(("size", "every"), [(101, 1.0), (3030, 30.0), (6000, 59.0)])
def test_body_that_is_slow_but_keeps_up_the_rate_may_take_hours(size: int, every: float) -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    assert watch.body(size=size, every=every, times=1000) == [None] * 1000


def test_body_may_pause_for_a_window_however_fast_it_was() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    watch.deadlines.body_came(10**9)
    assert (watch.after(59.0), watch.after(2.0)) == (None, ReplyReason.REQUEST_TIMEOUT)


def test_body_that_is_collected_has_a_total_time() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=True)
    assert watch.body(size=10_000, every=10.0, times=29) == [None] * 29
    assert watch.after(10.0) is ReplyReason.REQUEST_TIMEOUT


def test_caller_gets_its_window_anew_when_the_upstream_goes_on_reading() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    assert watch.after(50.0) is None
    watch.deadlines.body_stalled()
    assert watch.after(50.0) is None
    watch.deadlines.body_stalled()
    assert (watch.after(50.0), watch.after(11.0)) == (None, ReplyReason.REQUEST_TIMEOUT)


def test_upstream_has_its_time_to_begin() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    watch.deadlines.body_ended()
    watch.deadlines.body_stalled()
    watch.deadlines.await_response()
    assert (watch.after(199.0), watch.after(2.0)) == (None, ReplyReason.UPSTREAM_TIMEOUT)


@pytest.mark.parametrize(
    ("headers", "length", "silence"), [(JSON, None, 100.0), (JSON, 7, 100.0), ([], None, 100.0), (EVENTS, None, 400.0)]
)
def test_upstream_may_be_silent_for_its_own_time_between_any_two_pieces(
    headers: HeaderList, length: int | None, silence: float
) -> None:
    watch = Watch()
    watch.deadlines.await_response()
    watch.after(150.0)
    watch.deadlines.response_began(headers, length=length)
    for _ in range(100):
        watch.deadlines.await_response()
        assert watch.after(silence - 1) is None
    assert watch.after(2.0) is ReplyReason.UPSTREAM_STALLED


def test_request_has_a_time_in_all_until_its_response_begins() -> None:
    watch = Watch()
    began = watch.clock()
    for _ in range(8):
        watch.deadlines.await_response()
        watch.clock.pass_time(100.0)
        assert watch.deadlines.overdue(watch.clock(), began=began) is None
    watch.deadlines.await_response()
    watch.clock.pass_time(100.0)
    assert watch.deadlines.overdue(watch.clock(), began=began) is ReplyReason.EXCHANGE_TIMEOUT
    assert watch.deadlines.overdue(watch.clock()) is None


def test_request_may_take_however_long_where_its_time_is_zero() -> None:
    deadlines = Deadlines(limits=LIMITS, timeouts=Timeouts(request=0.0), clock=Clock())
    assert deadlines.overdue(1e9, began=0.0) is None


def test_next_request_has_the_time_to_begin_again() -> None:
    watch = Watch()
    watch.deadlines.response_began(JSON, length=None)
    watch.deadlines.end()
    watch.deadlines.await_response()
    assert (watch.after(199.0), watch.after(2.0)) == (None, ReplyReason.UPSTREAM_TIMEOUT)


def test_upstream_that_answers_early_may_wait_for_the_rest_of_the_body() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    watch.deadlines.await_response()
    assert watch.body(size=6000, every=50.0, times=20) == [None] * 20


def test_body_that_drips_is_overdue_however_busy_the_response_is() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=False)
    found = []
    for _ in range(7):
        watch.deadlines.await_response()
        found += watch.body(size=1, every=10.0, times=1)
    assert found[-1] is ReplyReason.REQUEST_TIMEOUT


def test_upstream_owes_nothing_while_the_caller_does_not_read() -> None:
    watch = Watch()
    watch.deadlines.await_response()
    watch.deadlines.caller_blocked(blocked=True)
    watch.deadlines.await_response()
    assert watch.after(1000.0) is None
    watch.deadlines.caller_blocked(blocked=False)
    assert (watch.after(199.0), watch.after(2.0)) == (None, ReplyReason.UPSTREAM_TIMEOUT)


def test_nothing_is_overdue_at_the_end() -> None:
    watch = Watch()
    watch.deadlines.await_body(collected=True)
    watch.deadlines.await_response()
    watch.deadlines.end()
    assert watch.after(1000.0) is None
