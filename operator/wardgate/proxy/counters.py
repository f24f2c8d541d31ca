"""One worker's counts: of which the supervisor is sent once a second what has been added.

So a worker that dies takes at most a second's counts with it, and no worker loads the library that shows the sums
(``metrics``). A request counts in a ``Series``, which is found once for many requests; nothing is kept of series that
count no more, whatever routes and keys come and go.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from wardgate.proxy.core.messages import Facts, Kept
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.request_record import RequestRecord

DURATION_BUCKETS: Final = (
    *(0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    *(163.84, 327.68, 655.36),
)
"""Upper bounds in seconds, as OpenTelemetry advises for operations of models, with longer ones for agents' streams."""
OVERHEAD_BUCKETS: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
"""Of the gateway's own time, which is some ten microseconds unless something is wrong."""
TTFT_BUCKETS: Final = (
    *(0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    *(20.0, 40.0, 80.0, 160.0),
)
"""As OpenTelemetry advises for the time to the first token, with longer ones for models that think."""

_BY_DESIGN: Final = frozenset({"", ReplyReason.REDIRECT, ReplyReason.DIRECT_RESPONSE})
_SERIES: Final = 4096
"""Series that are remembered; more than so many within a second are found anew."""


class RouteTimes:
    """The times of one route's requests since they were last taken: how many fell below each bound, and their sum."""

    __slots__ = ("count", "duration", "durations", "overhead", "overheads", "route", "ttft", "ttfts")

    def __init__(self, route: str) -> None:
        self.route = route
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.count = 0
        self.durations = [0] * (len(DURATION_BUCKETS) + 1)
        self.overheads = [0] * (len(OVERHEAD_BUCKETS) + 1)
        self.ttfts = [0] * (len(TTFT_BUCKETS) + 1)
        self.duration = self.overhead = self.ttft = 0.0

    def add(self, record: RequestRecord) -> None:
        """Add a settled request."""
        self.count += 1
        duration, overhead, ttft = record.duration, record.overhead, record.ttft
        self.durations[bisect_left(DURATION_BUCKETS, duration)] += 1
        self.duration += duration
        self.overheads[bisect_left(OVERHEAD_BUCKETS, overhead)] += 1
        self.overhead += overhead
        if ttft >= 0:
            self.ttfts[bisect_left(TTFT_BUCKETS, ttft)] += 1
            self.ttft += ttft

    def taken(self) -> list[object]:
        """Return a JSON-ready row, and start anew."""
        row: list[object] = [
            self.route,
            [*self.durations, self.duration],
            [*self.overheads, self.overhead],
            [*self.ttfts, self.ttft],
        ]
        self.clear()
        return row


class Series(Kept):
    """Requests that differ in nothing that is counted.

    ``origin``: their members of a log line, once there is one. ``went_well``: the log may leave some of them out.
    """

    __slots__ = ("count", "key", "listener", "origin", "reason", "route", "status", "times", "upstream", "went_well")

    def __init__(self, facts: Facts, *, status: int, reason: str, times: RouteTimes) -> None:
        self.listener = facts.listener
        self.route = facts.route
        self.key = facts.credential
        self.upstream = facts.upstream
        self.status = status
        self.reason = reason
        self.times = times
        self.count = 0
        self.origin = ""
        self.went_well = status < 400 and reason in _BY_DESIGN

    def taken(self) -> list[object]:
        """Return a JSON-ready row, and start anew."""
        row: list[object] = [
            *(self.listener, self.route, self.key, self.upstream, self.status, self.reason, self.count)
        ]
        self.count = 0
        return row


class Counters:
    """One worker's counts since they were last taken."""

    __slots__ = (
        "_lines_told",
        "_refused_connections",
        "_series",
        "_times",
        "_touched",
        "_upstream_errors",
        "connections",
        "in_flight",
        "log_lines_dropped",
        "prepared",
    )

    def __init__(self) -> None:
        self._series: dict[tuple[str, str, str, str, str, str, int], Series] = {}
        self._times: dict[str, RouteTimes] = {}
        self._touched: list[Series] = []
        self._upstream_errors: dict[tuple[str, str], int] = {}
        self._refused_connections: dict[str, int] = {}
        self.connections = 0
        self.in_flight = 0
        self.prepared = 0
        """Requests that took the fast path, of this worker, since it began."""
        self._lines_told = 0
        self.log_lines_dropped = 0
        """Of this worker, since it began."""

    def request(self, facts: Facts, record: RequestRecord) -> Series:
        """Count one settled request; return where it counts."""
        status, reason = record.status, facts.reason
        series = facts.kept
        # Requests that share facts mostly end alike, so that nothing has to be looked up.
        if not isinstance(series, Series) or series.status != status or series.reason != reason:
            series = facts.kept = self._series_of(facts, status=status, reason=reason)
        if not series.count:
            self._touched.append(series)
        series.count += 1
        if series.route:
            series.times.add(record)
        return series

    def _series_of(self, facts: Facts, *, status: int, reason: str) -> Series:
        key = (facts.listener, facts.route, facts.policy, facts.credential, facts.upstream, reason, status)
        found = self._series.get(key)
        if found is None:
            if len(self._series) >= _SERIES:
                self._series.clear()
                self._times.clear()
            times = self._times.setdefault(facts.route, RouteTimes(facts.route))
            found = self._series[key] = Series(facts, status=status, reason=reason, times=times)
        return found

    def upstream_error(self, *, upstream: str, reason: str) -> None:
        """Count one failure of an upstream, whatever the caller was told."""
        key = (upstream, reason)
        self._upstream_errors[key] = self._upstream_errors.get(key, 0) + 1

    def refused_connection(self, reason: str) -> None:
        """Count a caller's connection that was closed as soon as it was made."""
        self._refused_connections[reason] = self._refused_connections.get(reason, 0) + 1

    def take(self) -> dict[str, object]:
        """Return what was added, as JSON-ready lists, and start anew."""
        touched, self._touched = self._touched, []
        taken: dict[str, object] = {
            "requests": [series.taken() for series in touched],
            # Several series have one route.
            "times": [series.times.taken() for series in touched if series.times.count],
            "upstream_errors": [[*key, count] for key, count in self._upstream_errors.items()],
            "refused_connections": [[*item] for item in self._refused_connections.items()],
            "connections": self.connections,
            "in_flight": self.in_flight,
            "log_lines_dropped": self.log_lines_dropped - self._lines_told,
        }
        self._lines_told = self.log_lines_dropped
        self._upstream_errors = {}
        self._refused_connections = {}
        return taken
