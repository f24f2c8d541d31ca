"""What is counted, in the workers and for all of them.

A worker counts into plain dictionaries and sends what has been added once a second (``Counters.take``); the supervisor
adds it up (``Totals``) and shows the sums as one Prometheus registry. So a scrape never waits for a worker, and a
worker that dies takes at most a second's counts with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from wardgate.outlet import lost_messages
from wardgate.printable import printable
from wardgate.wire.delivery import Delivery

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds; a last bucket takes the rest."""

Requests = dict[tuple[str, str, int, str], int]


class Counters:
    """One worker's counts since they were last taken."""

    __slots__ = (
        "_durations",
        "_lines_told",
        "_refused_connections",
        "_requests",
        "_upstream_errors",
        "connections",
        "in_flight",
        "log_lines_dropped",
    )

    def __init__(self) -> None:
        self._requests: Requests = {}
        self._durations: dict[str, list[float]] = {}
        self._upstream_errors: dict[tuple[str, str], int] = {}
        self._refused_connections: dict[str, int] = {}
        self.connections = 0
        self.in_flight = 0
        self._lines_told = 0
        self.log_lines_dropped = 0
        """Of this worker, since it began."""

    def request(self, *, listener: str, route: str, status: int, reason: str, seconds: float) -> None:
        """Count one finished request."""
        key = (listener, route, status, reason)
        self._requests[key] = self._requests.get(key, 0) + 1
        durations = self._durations.get(route)
        if durations is None:
            durations = self._durations[route] = [0.0] * (len(BUCKETS) + 2)
        durations[bisect_left(BUCKETS, seconds)] += 1
        durations[-1] += seconds

    def upstream_error(self, *, upstream: str, reason: str) -> None:
        """Count one failure of an upstream, whatever the caller was told."""
        key = (upstream, reason)
        self._upstream_errors[key] = self._upstream_errors.get(key, 0) + 1

    def refused_connection(self, reason: str) -> None:
        """Count a caller's connection that was closed as soon as it was made."""
        self._refused_connections[reason] = self._refused_connections.get(reason, 0) + 1

    def take(self) -> dict[str, object]:
        """Return what was added, as JSON-ready lists, and start anew."""
        taken: dict[str, object] = {
            "requests": [
                [listener, route, str(status), reason, count]
                for (listener, route, status, reason), count in self._requests.items()
            ],
            "durations": [[route, *values] for route, values in self._durations.items()],
            "upstream_errors": [[*key, count] for key, count in self._upstream_errors.items()],
            "refused_connections": [[*item] for item in self._refused_connections.items()],
            "connections": self.connections,
            "in_flight": self.in_flight,
            "log_lines_dropped": self.log_lines_dropped - self._lines_told,
        }
        self._lines_told = self.log_lines_dropped
        self._requests = {}
        self._durations = {}
        self._upstream_errors = {}
        self._refused_connections = {}
        return taken


@dataclass(slots=True)
class Gauges:
    """What one worker has at the moment."""

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
            _bump(self.requests, tuple(key), count)
        for *key, count in _rows(taken, "upstream_errors"):
            _bump(self.upstream_errors, tuple(key), count)
        for *key, count in _rows(taken, "refused_connections"):
            _bump(self.refused_connections, tuple(key), count)
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


def _bump(counts: dict[tuple[str, ...], float], key: tuple[object, ...], count: object) -> None:
    assert isinstance(count, int | float)
    named = tuple(printable(str(part)) for part in key)
    counts[named] = counts.get(named, 0) + count
