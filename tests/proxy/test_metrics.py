"""Counts of workers, added up and shown as one Prometheus registry."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from tests.proxy.recorded import record
from wardgate.outlet import Outlet, OutletStream
from wardgate.proxy.core.messages import Facts
from wardgate.proxy.counters import DURATIONS, Counters
from wardgate.proxy.metrics import Totals
from wardgate.proxy.request_totals import RequestTotals
from wardgate.wire.delivery import Delivery

FACTS = Facts(listener="main", route="lab", policy="p", credential="team/red", upstream="hf")


def empty() -> Totals:
    return Totals(RequestTotals(keys=100, series=1000))


def counted() -> Counters:
    counters = Counters()
    counters.request(replace(FACTS), record())
    counters.request(replace(FACTS), record(ended=1100.0))
    refused = replace(FACTS, credential="", upstream="", reason="key_missing")
    counters.request(refused, record(status=401, asked=0.0, first_byte=0.0, ended=100.0006))
    counters.upstream_error(upstream="hf", reason="upstream_timeout")
    counters.refused_connection("caller_over_share")
    counters.connections = 3
    counters.in_flight = 2
    counters.log_lines_dropped = 1
    counters.prepared = 2
    return counters


def through_the_pipe(counters: Counters) -> dict[str, object]:
    taken: dict[str, object] = json.loads(json.dumps(counters.take()))
    return taken


def shown(totals: Totals) -> str:
    registry = CollectorRegistry()
    registry.register(totals)
    return generate_latest(registry).decode()


def test_the_counts_of_several_workers_are_added_up() -> None:
    totals = empty()
    totals.add(0, through_the_pipe(counted()))
    totals.add(1, through_the_pipe(counted()))
    text = shown(totals)
    of_a_key = 'wardgate_requests_total{code_class="2xx",key="team/red",listener="main",reason="",route="lab"} 4.0'
    refused = 'wardgate_requests_total{code_class="4xx",key="",listener="main",reason="key_missing",route="lab"} 2.0'
    assert of_a_key in text
    assert refused in text
    assert 'wardgate_upstream_responses_total{status="200",upstream="hf"} 4.0' in text
    assert 'wardgate_upstream_errors_total{reason="upstream_timeout",upstream="hf"} 2.0' in text
    assert 'wardgate_connections_refused_total{reason="caller_over_share"} 2.0' in text
    assert "wardgate_connections 6.0" in text
    assert "wardgate_requests_in_flight 4.0" in text
    assert "wardgate_workers 2.0" in text
    assert "wardgate_access_log_lines_dropped_total 2.0" in text
    assert "wardgate_fast_path_requests_total 4.0" in text


def test_times_fall_into_cumulative_buckets() -> None:
    totals = empty()
    totals.add(0, through_the_pipe(counted()))
    totals.add(1, through_the_pipe(counted()))
    text = shown(totals)
    assert 'wardgate_request_duration_seconds_bucket{le="0.005",route="lab"} 2.0' in text
    assert 'wardgate_request_duration_seconds_bucket{le="1.28",route="lab"} 4.0' in text
    assert f'wardgate_request_duration_seconds_bucket{{le="{DURATIONS.bounds()[-1]}",route="lab"}} 4.0' in text
    assert 'wardgate_request_duration_seconds_bucket{le="+Inf",route="lab"} 6.0' in text
    assert 'wardgate_request_duration_seconds_count{route="lab"} 6.0' in text
    assert 'wardgate_request_overhead_seconds_bucket{le="0.0002",route="lab"} 0.0' in text
    assert 'wardgate_request_overhead_seconds_bucket{le="0.0004",route="lab"} 4.0' in text
    assert 'wardgate_request_overhead_seconds_bucket{le="0.0008",route="lab"} 6.0' in text
    assert 'wardgate_request_ttft_seconds_bucket{le="0.16",route="lab"} 0.0' in text
    assert 'wardgate_request_ttft_seconds_bucket{le="0.32",route="lab"} 4.0' in text
    assert 'wardgate_request_ttft_seconds_count{route="lab"} 4.0' in text
    assert 'wardgate_request_ttft_seconds_sum{route="lab"} 1.0' in text


def test_what_was_taken_is_not_counted_again() -> None:
    counters = counted()
    counters.take()
    counters.log_lines_dropped = 4
    counters.prepared = 7
    taken = counters.take()
    assert ([], [], 3, 5) == (taken["requests"], taken["times"], taken["log_lines_dropped"], taken["prepared"])


def test_requests_that_share_facts_are_counted_by_how_they_ended() -> None:
    counters, shared = Counters(), replace(FACTS)
    for status in (200, 429, 429, 200, 200):
        counters.request(shared, record(status=status))
    rows = cast("list[list[object]]", through_the_pipe(counters)["requests"])
    assert {200: 3, 429: 2} == {status: count for *_, status, _, count in rows}


def test_series_that_nobody_remembers_any_more_are_still_counted() -> None:
    counters = Counters()
    facts = [replace(FACTS, credential=f"team/{number}") for number in range(5000)]
    for each in (*facts, *facts):
        counters.request(each, record())
    totals = empty()
    totals.add(0, through_the_pipe(counters))
    while counters.is_behind:
        totals.add(0, through_the_pipe(counters))
    assert 10_000 == sum(count for _, count in totals.requests.requests())
    ((_, (durations, *_)),) = totals.requests.times()
    assert 10_000 == sum(durations.counts.values())


def test_a_report_of_many_series_comes_in_parts() -> None:
    counters = Counters()
    for number in range(450):
        counters.request(replace(FACTS, credential=f"team/{number}"), record())
    sizes: list[int] = []
    while not sizes or counters.is_behind:
        sizes.append(len(cast("list[object]", counters.take()["requests"])))
    assert [200, 200, 50] == sizes


def test_lines_that_a_worker_lost_stay_counted_after_its_end() -> None:
    totals = empty()
    totals.add(0, through_the_pipe(counted()))
    totals.gauges.pop(0)
    totals.add(0, through_the_pipe(counted()))
    assert "wardgate_access_log_lines_dropped_total 2.0" in shown(totals)


def test_the_revision_is_shown_once_there_is_one() -> None:
    totals = empty()
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
    totals = empty()
    assert "wardgate_config_age_seconds" not in shown(totals)
    totals.delivery = lambda: ARRIVING
    text = shown(totals)
    assert "wardgate_config_age_seconds 12.5" in text
    assert "wardgate_config_connected 1.0" in text
    assert "wardgate_config_sequence 7.0" in text
    assert 'wardgate_config_refused_total{cause="schema"} 1.0' in text
    assert 'wardgate_config_refused_total{cause="shard"} 2.0' in text


def test_before_the_first_config_it_is_as_old_as_can_be() -> None:
    totals = empty()
    totals.delivery = lambda: replace(ARRIVING, sequence=None, age=float("inf"), connected=False)
    text = shown(totals)
    assert "wardgate_config_age_seconds +Inf" in text
    assert "wardgate_config_connected 0.0" in text
    assert "wardgate_config_sequence 0.0" in text


def test_no_label_holds_what_a_terminal_obeys() -> None:
    counters = Counters()
    counters.request(replace(FACTS, route="a\x1b[2J\n"), record())
    counters.upstream_error(upstream="b\u202e", reason="upstream_timeout")
    totals = empty()
    for worker in range(2):
        totals.add(worker, through_the_pipe(counters))
    text = shown(totals)
    assert all(line.isprintable() for line in text.split("\n"))
    assert 'route="a\\\\x1b[2J\\\\n"' in text


def test_messages_that_nobody_read_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    outlet = Outlet(write=len, limit=1, notice=lambda _: b"")
    monkeypatch.setattr(sys, "stderr", OutletStream(outlet, sys.stderr, shown=str))
    print("one line", file=sys.stderr)
    assert "wardgate_messages_dropped_total 1.0" in shown(empty())


def test_the_documented_metrics_are_those_that_are_shown() -> None:
    document = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(wardgate_\w+)` \| (\w+) \| ([`\w, ]*)\|", document, re.MULTILINE)
    documented = {
        name: (kind, set(re.findall(r"\w+", labels)))
        for name, kind, labels in rows
        if not name.startswith("wardgate_operator_")
    }
    totals = empty()
    totals.revision = "abc"
    totals.unserved = lambda: {"infra/gw:81": "Port 81 is taken."}
    totals.delivery = lambda: ARRIVING
    totals.add(0, through_the_pipe(counted()))
    shown_here = {}
    for family in totals.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown_here[name] = (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
    assert documented == shown_here
