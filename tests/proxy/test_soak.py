"""The trials of ``benchmarks.soak``, short: real processes, real clients, and nobody who tries again."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from benchmarks.soak.bodies import MIB, download, upload
from benchmarks.soak.changes import changes
from benchmarks.soak.deaths import config_lost, upstream_killed, worker_struck
from benchmarks.soak.estate import Estate, running
from benchmarks.soak.restarts import restarts
from benchmarks.soak.stream import stream

pytestmark = pytest.mark.slow

GROWTH = 16 * MIB


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with running(workers=2) as one:
        yield one


def test_rolling_restarts_cost_no_request() -> None:
    tally = restarts(3, delay=1.0, say=print)
    assert [] == tally.failures
    assert tally.answers > 150


def test_changes_of_the_config_cost_no_request(estate: Estate) -> None:
    tally = changes(estate, 20, every=0.2, say=print)
    assert [] == tally.failures
    assert tally.answers > 100


def test_stream_goes_on_over_changes_of_the_config(estate: Estate) -> None:
    sent, received = stream(estate, 20, every=0.1, say=print)
    assert (sent, True) == (received.events, received.whole)


def test_large_bodies_pass_between_a_fast_and_a_slow_side_without_memory(estate: Estate) -> None:
    for passing in (upload, download):
        passed = passing(estate, 64 * MIB, rate=48 * MIB, say=print)
        assert 64 * MIB == passed.size
        assert passed.growth <= GROWTH


def test_killed_worker_costs_what_it_held_and_is_replaced(estate: Estate) -> None:
    damage = worker_struck(estate, signal.SIGKILL)
    assert len(damage.failures) <= 6  # as many callers as there are
    assert damage.failing < 1.0


def test_killed_upstream_is_told_to_its_callers_until_it_is_back(estate: Estate) -> None:
    assert {"status 502"} == set(upstream_killed(estate, away=0.5).failures)


def test_lost_and_torn_config_leaves_what_was_served(estate: Estate) -> None:
    assert () == config_lost(estate).failures
