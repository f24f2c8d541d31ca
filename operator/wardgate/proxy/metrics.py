"""The sums over all workers, shown as one Prometheus registry. A scrape never waits for a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from wardgate.outlet import lost_messages
from wardgate.printable import printable
from wardgate.proxy.counters import BUCKETS
from wardgate.wire.delivery import Delivery


@dataclass(slots=True)
class Gauges:
    """The connections and requests of one worker at the moment."""

    connections: int = 0
    in_flight: int = 0


@dataclass(slots=True, eq=False)
class Totals(Collector):
    """The sums over all workers, dead ones included; a Prometheus collector."""

    requests: dict[tuple[str, ...], float] = field(default_factory=dict)
    durations: dict[str, list[float]] = field(default_factory=dict)
    upstream_errors: dict[tuple[str, ...], float] = field(default_factory=dict)
    refused_connections: dict[tuple[str, ...], float] = field(default_factory=dict)
    gauges: dict[int, Gauges] = field(default_factory=dict)
    log_lines_dropped: int = 0
    worker_restarts: int = 0
    revision: str = ""
    applied_at: float = 0.0
    closed_routes: int = 0
    refused_keys: int = 0
    delivery: Callable[[], Delivery] | None = None
    """Asked at every scrape; None where a config does not arrive by itself."""

    def add(self, worker: int, taken: Mapping[str, object]) -> None:
        """Add what a worker has taken. ``worker`` is its number."""
        for *key, count in _rows(taken, "requests"):
            _bump(self.requests, tuple(key), by=count)
        for *key, count in _rows(taken, "upstream_errors"):
            _bump(self.upstream_errors, tuple(key), by=count)
        for *key, count in _rows(taken, "refused_connections"):
            _bump(self.refused_connections, tuple(key), by=count)
        for route, *values in _rows(taken, "durations"):
            numbers = [value for value in values if isinstance(value, int | float)]
            name = printable(str(route))
            held = self.durations.get(name, [0.0] * len(numbers))
            self.durations[name] = [old + new for old, new in zip(held, numbers, strict=True)]
        self.log_lines_dropped += _integer(taken, "log_lines_dropped")
        self.gauges[worker] = Gauges(connections=_integer(taken, "connections"), in_flight=_integer(taken, "in_flight"))

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        requests = CounterMetricFamily(
            "wardgate_requests", "Requests answered.", labels=["listener", "route", "status", "reason"]
        )
        for key, count in sorted(self.requests.items()):
            requests.add_metric(key, count)
        yield requests
        errors = CounterMetricFamily(
            "wardgate_upstream_errors", "Failures of upstreams.", labels=["upstream", "reason"]
        )
        for key, count in sorted(self.upstream_errors.items()):
            errors.add_metric(key, count)
        yield errors
        refused = CounterMetricFamily(
            "wardgate_connections_refused", "Callers' connections closed at once.", labels=["reason"]
        )
        for key, count in sorted(self.refused_connections.items()):
            refused.add_metric(key, count)
        yield refused
        yield self._histogram()
        yield from self._simple()

    def _histogram(self) -> Metric:
        family = HistogramMetricFamily(
            "wardgate_request_duration_seconds", "From a request's head to the end of its response.", labels=["route"]
        )
        for route, values in sorted(self.durations.items()):
            running = 0.0
            buckets = []
            for bound, count in zip([*map(str, BUCKETS), "+Inf"], values, strict=False):
                running += count
                buckets.append((bound, running))
            family.add_metric([route], buckets, values[-1])
        return family

    def _simple(self) -> Iterator[Metric]:
        gauges = self.gauges.values()
        yield GaugeMetricFamily("wardgate_workers", "Workers serving.", len(self.gauges))
        yield GaugeMetricFamily("wardgate_connections", "Callers' connections.", sum(g.connections for g in gauges))
        yield GaugeMetricFamily("wardgate_requests_in_flight", "Requests in flight.", sum(g.in_flight for g in gauges))
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


def _rows(taken: Mapping[str, object], name: str) -> list[list[object]]:
    rows = taken.get(name)
    return rows if isinstance(rows, list) else []


def _integer(taken: Mapping[str, object], name: str) -> int:
    value = taken.get(name)
    return value if isinstance(value, int) else 0


def _bump(counts: dict[tuple[str, ...], float], key: tuple[object, ...], *, by: object) -> None:
    assert isinstance(by, int | float)
    named = tuple(printable(str(part)) for part in key)
    counts[named] = counts.get(named, 0) + by
