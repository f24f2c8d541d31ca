"""When the operator counts as ready and as healthy, and what it shows to Prometheus."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wardgate.control.metrics import Metrics
from wardgate.control.probes import operator_pages


@dataclass
class Watches:
    unlisted: tuple[str, ...] = ()
    known: Mapping[str, float] = field(default_factory=lambda: {"RouteTable": 1.0, "Secret": 2.5})

    def missing(self) -> tuple[str, ...]:
        return self.unlisted

    def ages(self) -> Mapping[str, float]:
        return self.known


def metrics_of(watches: Watches) -> Metrics:
    return Metrics(watch_ages=watches.ages, objects=lambda: {"Secret": 3}, api_errors=lambda: 7, leading=lambda: True)


def page(watches: Watches, path: str) -> tuple[int, str]:
    found = operator_pages(watches, metrics_of(watches))[path]()
    return found.status, found.body.decode()


def test_operator_is_ready_once_everything_was_listed() -> None:
    assert (200, "ready\n") == page(Watches(), "/readyz")
    assert (503, "Waiting for Secrets.\n") == page(Watches(unlisted=("Waiting for Secrets.",)), "/readyz")


def test_one_stale_watch_among_fresh_ones_is_a_fault() -> None:
    assert (200, "ok\n") == page(Watches(), "/healthz")
    status, text = page(Watches(known={"RouteTable": 1.0, "Secret": 121.0}), "/healthz")
    assert (503, "stale while others are fresh: Secret\n") == (status, text)


def test_api_server_that_is_away_is_no_reason_to_restart() -> None:
    assert 200 == page(Watches(known={"RouteTable": 150.0, "Secret": 121.0}), "/healthz")[0]


def test_figures_are_shown_by_kind_and_in_sum() -> None:
    metrics = metrics_of(Watches())
    metrics.translated(0.004)
    metrics.lost_policies = 3
    metrics.published(seconds=0.02, latency=3.0, revision="abc")
    text = operator_pages(Watches(), metrics)["/metrics"]().body.decode()
    for line in (
        'wardgate_operator_watch_age_seconds{kind="Secret"} 2.5',
        'wardgate_operator_objects{kind="Secret"} 3.0',
        'wardgate_operator_translate_seconds_bucket{le="0.005"} 1.0',
        'wardgate_operator_publish_seconds_bucket{le="0.01"} 0.0',
        'wardgate_operator_publish_seconds_bucket{le="0.025"} 1.0',
        'wardgate_operator_change_to_publish_seconds_bucket{le="2.5"} 0.0',
        'wardgate_operator_change_to_publish_seconds_bucket{le="+Inf"} 1.0',
        "wardgate_operator_leader 1.0",
        "wardgate_operator_lost_policies 3.0",
        'wardgate_operator_revision_info{revision="abc"} 1.0',
        "wardgate_operator_api_errors_total 7.0",
        "wardgate_operator_messages_dropped_total 0.0",
        "wardgate_operator_publishes_total 1.0",
    ):
        assert line in text.splitlines(), line


def test_the_documented_metrics_are_those_that_are_shown() -> None:
    document = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(wardgate_operator_\w+)` \| (\w+) \| ([`\w, ]*)\|", document, re.MULTILINE)
    assert {name: (kind, set(re.findall(r"\w+", labels))) for name, kind, labels in rows} == {
        f"{family.name}_total" if family.type == "counter" else family.name: (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
        )
        for family in metrics_of(Watches()).collect()
    }
