"""The sums over all workers, shown as one Prometheus registry. A scrape never waits for a worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from wardgate.ir import GatewayConfig
from wardgate.outlet import lost_messages
from wardgate.printable import printable
from wardgate.proxy.counters import DURATIONS, OVERHEADS, TTFTS
from wardgate.proxy.request_totals import RequestTotals, rows
from wardgate.wire.delivery import Delivery

_HISTOGRAMS: Final = (
    ("wardgate_request_duration_seconds", "From a request's head to the end of its response.", DURATIONS.bounds()),
    ("wardgate_request_overhead_seconds", "The gateway's own part of a request's duration.", OVERHEADS.bounds()),
    ("wardgate_request_ttft_seconds", "From a request's head to the response's first byte of a body.", TTFTS.bounds()),
)
"""In the order of ``Times``."""


@dataclass(slots=True)
class Gauges:
    """The connections and requests of one worker at the moment."""

    connections: int = 0
    in_flight: int = 0


@dataclass(slots=True, eq=False)
class Totals(Collector):
    """The sums over all workers, dead ones included; a Prometheus collector."""

    requests: RequestTotals
    clock: Callable[[], float] = time.monotonic
    refused_connections: dict[str, int] = field(default_factory=dict)
    gauges: dict[int, Gauges] = field(default_factory=dict)
    log_lines_dropped: int = 0
    fast_requests: int = 0
    worker_restarts: int = 0
    revision: str = ""
    applied_at: float = 0.0
    closed_routes: int = 0
    refused_keys: int = 0
    delivery: Callable[[], Delivery] | None = None
    """Asked at every scrape; None where a config does not arrive by itself."""
    unserved: Callable[[], Mapping[str, str]] = dict
    """Asked at every scrape for the listeners that are not served, each with the reason."""

    def serve(self, config: GatewayConfig) -> None:
        """The config in force; series of routes and upstreams that it lacks go after their last request."""
        self.requests.serve(config, now=self.clock())

    def add(self, worker: int, taken: Mapping[str, object]) -> None:
        """Add what a worker has taken. ``worker`` is its number."""
        self.requests.add(taken, now=self.clock())
        for reason, count in rows(taken, "refused_connections"):
            assert isinstance(count, int)
            name = printable(str(reason))
            self.refused_connections[name] = self.refused_connections.get(name, 0) + count
        self.log_lines_dropped += _integer(taken, "log_lines_dropped")
        self.fast_requests += _integer(taken, "prepared")
        self.gauges[worker] = Gauges(connections=_integer(taken, "connections"), in_flight=_integer(taken, "in_flight"))

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        self.requests.forget(now=self.clock())
        requests = CounterMetricFamily(
            "wardgate_requests", "Requests answered.", labels=["listener", "route", "key", "code_class", "reason"]
        )
        for labels, count in self.requests.requests():
            requests.add_metric(labels, count)
        yield requests
        responses = CounterMetricFamily(
            "wardgate_upstream_responses", "Responses that upstreams gave.", labels=["upstream", "status"]
        )
        for names, count in self.requests.upstream_responses():
            responses.add_metric(names, count)
        yield responses
        errors = CounterMetricFamily(
            "wardgate_upstream_errors", "Failures of upstreams.", labels=["upstream", "reason"]
        )
        for names, count in self.requests.upstream_errors():
            errors.add_metric(names, count)
        yield errors
        refused = CounterMetricFamily(
            "wardgate_connections_refused", "Callers' connections closed at once.", labels=["reason"]
        )
        for reason, count in sorted(self.refused_connections.items()):
            refused.add_metric([reason], count)
        yield refused
        yield from self._histograms()
        yield from self._simple()

    def _histograms(self) -> Iterator[Metric]:
        times = self.requests.times()
        for number, (name, told, bounds) in enumerate(_HISTOGRAMS):
            family = HistogramMetricFamily(name, told, labels=["route"])
            for route, of_route in times:
                spans = of_route[number]
                family.add_metric([route], _cumulative(bounds, spans.counts), spans.total)
            yield family

    def _simple(self) -> Iterator[Metric]:
        gauges = self.gauges.values()
        yield GaugeMetricFamily("wardgate_workers", "Workers serving.", len(self.gauges))
        yield GaugeMetricFamily("wardgate_connections", "Callers' connections.", sum(g.connections for g in gauges))
        yield GaugeMetricFamily("wardgate_requests_in_flight", "Requests in flight.", sum(g.in_flight for g in gauges))
        yield CounterMetricFamily(
            "wardgate_fast_path_requests", "Requests that took the fast path.", self.fast_requests
        )
        yield CounterMetricFamily("wardgate_worker_restarts", "Workers that had to be replaced.", self.worker_restarts)
        yield CounterMetricFamily(
            "wardgate_access_log_lines_dropped",
            "Access log lines that nobody read fast enough.",
            self.log_lines_dropped,
        )
        yield CounterMetricFamily(
            "wardgate_messages_dropped", "Lines of standard error that nobody read fast enough.", lost_messages()
        )
        yield GaugeMetricFamily("wardgate_closed_routes", "Routes closed for a part nobody knows.", self.closed_routes)
        yield GaugeMetricFamily("wardgate_refused_keys", "Keys refused for a part nobody knows.", self.refused_keys)
        yield GaugeMetricFamily(
            "wardgate_config_applied_timestamp_seconds", "When the config now served was applied.", self.applied_at
        )
        unserved = GaugeMetricFamily(
            "wardgate_listener_unserved", "1 for a listener of the config whose port is not bound.", labels=["listener"]
        )
        for name in sorted(self.unserved()):
            unserved.add_metric([name], 1)
        yield unserved
        info = GaugeMetricFamily("wardgate_config_info", "The config now served.", labels=["revision"])
        if self.revision:
            info.add_metric([self.revision], 1)
        yield info
        if self.delivery is not None:
            yield from _of_the_delivery(self.delivery())


def _of_the_delivery(now: Delivery) -> Iterator[Metric]:
    yield GaugeMetricFamily("wardgate_config_age_seconds", "Since the config served was last confirmed.", now.age)
    yield GaugeMetricFamily("wardgate_config_connected", "Whether changes of the config are followed.", now.connected)
    yield GaugeMetricFamily("wardgate_config_sequence", "The sequence of the config served.", now.sequence or 0)
    refused = CounterMetricFamily(
        "wardgate_config_refused", "Looks at a newer config that was not put in force.", labels=["cause"]
    )
    for cause, count in sorted(now.refused.items()):
        refused.add_metric([cause], count)
    yield refused


def _cumulative(bounds: Sequence[float], counts: Mapping[int, int]) -> list[tuple[str, float]]:
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(counts.get(number, 0) for number in range(len(names))), strict=True))


def _integer(taken: Mapping[str, object], name: str) -> int:
    value = taken.get(name)
    return value if isinstance(value, int) else 0
