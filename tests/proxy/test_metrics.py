"""Counts of workers, added up and shown as one Prometheus registry."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from wardgate.outlet import Outlet, OutletStream
from wardgate.proxy.counters import BUCKETS, Counters
from wardgate.proxy.metrics import Totals
from wardgate.wire.delivery import Delivery


def counted() -> Counters:
    counters = Counters()
    counters.request(listener="main", route="lab", status=200, reason="", seconds=0.002)
    counters.request(listener="main", route="lab", status=200, reason="", seconds=120.0)
    counters.request(listener="main", route="lab", status=401, reason="key_missing", seconds=0.0005)
    counters.upstream_error(upstream="hf", reason="upstream_timeout")
    counters.refused_connection("caller_over_share")
    counters.connections = 3
    counters.in_flight = 2
    counters.log_lines_dropped = 1
    return counters


def through_the_pipe(counters: Counters) -> dict[str, object]:
    taken: dict[str, object] = json.loads(json.dumps(counters.take()))
    return taken


def shown(totals: Totals) -> str:
    registry = CollectorRegistry()
    registry.register(totals)
    return generate_latest(registry).decode()


def test_the_counts_of_several_workers_are_added_up() -> None:
    totals = Totals()
    totals.add(0, through_the_pipe(counted()))
    totals.add(1, through_the_pipe(counted()))
    text = shown(totals)
    assert 'wardgate_requests_total{listener="main",reason="",route="lab",status="200"} 4.0' in text
    assert 'wardgate_requests_total{listener="main",reason="key_missing",route="lab",status="401"} 2.0' in text
    assert 'wardgate_upstream_errors_total{reason="upstream_timeout",upstream="hf"} 2.0' in text
    assert 'wardgate_connections_refused_total{reason="caller_over_share"} 2.0' in text
    assert "wardgate_connections 6.0" in text
    assert "wardgate_requests_in_flight 4.0" in text
    assert "wardgate_workers 2.0" in text
    assert "wardgate_access_log_lines_dropped_total 2.0" in text


def test_durations_fall_into_cumulative_buckets() -> None:
    totals = Totals()
    totals.add(0, through_the_pipe(counted()))
    text = shown(totals)
    assert 'wardgate_request_duration_seconds_bucket{le="0.001",route="lab"} 1.0' in text
    assert 'wardgate_request_duration_seconds_bucket{le="0.0025",route="lab"} 2.0' in text
    assert f'wardgate_request_duration_seconds_bucket{{le="{BUCKETS[-1]}",route="lab"}} 2.0' in text
    assert 'wardgate_request_duration_seconds_bucket{le="+Inf",route="lab"} 3.0' in text
    assert 'wardgate_request_duration_seconds_sum{route="lab"} 120.0025' in text


def test_what_was_taken_is_not_counted_again() -> None:
    counters = counted()
    counters.take()
    counters.log_lines_dropped = 4
    taken = counters.take()
    assert (taken["requests"], taken["log_lines_dropped"]) == ([], 3)


def test_lines_that_a_worker_lost_stay_counted_after_its_end() -> None:
    totals = Totals()
    totals.add(0, through_the_pipe(counted()))
    totals.gauges.pop(0)
    totals.add(0, through_the_pipe(counted()))
    assert "wardgate_access_log_lines_dropped_total 2.0" in shown(totals)


def test_the_revision_is_shown_once_there_is_one() -> None:
    totals = Totals()
    assert "wardgate_config_info{" not in shown(totals)
    totals.revision = "abc"
    assert 'wardgate_config_info{revision="abc"} 1.0' in shown(totals)


ARRIVING = Delivery(
    sequence=7,
    refused_sequence=None,
    age=12.5,
    connected=True,
    verified_at="",
    problem="",
    refused={"shard": 2, "schema": 1},
)


def test_how_the_config_arrives_is_shown_where_it_arrives_by_itself() -> None:
    totals = Totals()
    assert "wardgate_config_age_seconds" not in shown(totals)
    totals.delivery = lambda: ARRIVING
    text = shown(totals)
    assert "wardgate_config_age_seconds 12.5" in text
    assert "wardgate_config_connected 1.0" in text
    assert "wardgate_config_sequence 7.0" in text
    assert 'wardgate_config_refused_total{cause="schema"} 1.0' in text
    assert 'wardgate_config_refused_total{cause="shard"} 2.0' in text


def test_before_the_first_config_it_is_as_old_as_can_be() -> None:
    totals = Totals(delivery=lambda: replace(ARRIVING, sequence=None, age=float("inf"), connected=False))
    text = shown(totals)
    assert "wardgate_config_age_seconds +Inf" in text
    assert "wardgate_config_connected 0.0" in text
    assert "wardgate_config_sequence 0.0" in text


def test_no_label_holds_what_a_terminal_obeys() -> None:
    counters = Counters()
    counters.request(listener="main", route="a\x1b[2J\n", status=200, reason="", seconds=0.1)
    counters.upstream_error(upstream="b\u202e", reason="upstream_timeout")
    totals = Totals()
    for worker in range(2):
        totals.add(worker, through_the_pipe(counters))
    text = shown(totals)
    assert all(line.isprintable() for line in text.split("\n"))
    assert 'route="a\\\\x1b[2J\\\\n"' in text


def test_messages_that_nobody_read_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = Outlet(write=len, limit=1, notice=lambda _: b"")
    monkeypatch.setattr(sys, "stderr", OutletStream(outlet, sys.stderr, shown=str))
    print("one line", file=sys.stderr)
    assert "wardgate_messages_dropped_total 1.0" in shown(Totals())
