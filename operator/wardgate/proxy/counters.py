"""One worker's counts: of which the supervisor is sent once a second what has been added.

So a worker that dies takes at most a second's counts with it, and no worker loads the library that shows the sums
(``metrics``). A request counts in a ``Series``, which is found once for many requests; nothing is kept of series that
count no more, whatever routes and keys come and go.
"""

from __future__ import annotations

from typing import Final

from wardgate.proxy.core.messages import Facts, Kept
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.request_record import RequestRecord


class Histogram:
    """A histogram whose bounds double. ``first``: the lowest bound, in microseconds.

    So a span's bucket, ``(span // first).bit_length()``, takes a division and no search.
    """

    __slots__ = ("_count", "first")

    def __init__(self, *, first: int, count: int) -> None:
        self.first = first
        self._count = count

    def bounds(self) -> list[float]:
        """Return the upper bounds in seconds; a last bucket takes the rest."""
        return [self.first * 2**number / 1e6 for number in range(self._count)]

    def row(self, counts: list[int], total: int) -> list[object]:
        """Return the sum in seconds, then the number and the count of each bucket that is not empty."""
        return [total / 1e6, *((min(number, self._count), count) for number, count in enumerate(counts) if count)]


_FIRST_DURATION: Final = 5_000
_FIRST_OVERHEAD: Final = 50

DURATIONS: Final = Histogram(first=_FIRST_DURATION, count=18)
"""From 5 ms to 11 minutes, as OpenTelemetry has them for operations of models, and on for agents' streams."""
OVERHEADS: Final = Histogram(first=_FIRST_OVERHEAD, count=14)
"""From 50 µs to 0.4 s: the gateway's own time is some ten microseconds unless something is wrong."""
TTFTS: Final = Histogram(first=_FIRST_DURATION, count=16)
"""From 5 ms to 164 s: models that think take long to their first token."""

_BY_DESIGN: Final = frozenset({"", ReplyReason.REDIRECT, ReplyReason.DIRECT_RESPONSE})
_TAKEN: Final = 200
"""Series of one report: a millisecond or two, in which no request is served."""
_SERIES: Final = 4096
"""Series that are remembered; more than so many within a second are found anew."""
_BUCKETS: Final = 48
"""So many that no span between two moments of a clock needs a bound: the last ones are of centuries."""


class RouteTimes:
    """The times of one route's requests since they were last taken: their counts by bucket, and their sums."""

    __slots__ = ("duration", "durations", "overhead", "overheads", "route", "ttft", "ttfts")

    def __init__(self, route: str) -> None:
        self.route = route
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.durations = [0] * _BUCKETS
        self.overheads = [0] * _BUCKETS
        self.ttfts = [0] * _BUCKETS
        self.duration = self.overhead = self.ttft = 0

    def taken(self) -> list[object]:
        """Return a JSON-ready row, and start anew: the route, then a row for each histogram."""
        row: list[object] = [
            self.route,
            DURATIONS.row(self.durations, self.duration),
            OVERHEADS.row(self.overheads, self.overhead),
            TTFTS.row(self.ttfts, self.ttft),
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
        "_prepared_told",
        "_refused_connections",
        "_series",
        "_times",
        "_touched",
        "_upstream_errors",
        "connections",
        "in_flight",
        "is_behind",
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
        self.is_behind = False
        """Whether the last ``take`` has left something for another one."""
        self._prepared_told = 0
        self.prepared = 0
        """Requests that took the fast path, of this worker, since it began."""
        self._lines_told = 0
        self.log_lines_dropped = 0
        """Of this worker, since it began."""

    def request(self, facts: Facts, record: RequestRecord) -> Series:
        """Count one settled request; return where it counts."""
        return self.count(facts, record.status, duration=record.duration, overhead=record.overhead, ttft=record.ttft)

    def count(self, facts: Facts, status: int, *, duration: int, overhead: int, ttft: int) -> Series:
        """Count one request by its spans, which are as in ``RequestRecord``; return where it counts."""
        series, reason = facts.kept, facts.reason
        # Requests that share facts mostly end alike, so that nothing has to be looked up.
        if not isinstance(series, Series) or series.status != status or series.reason != reason:
            series = facts.kept = self._series_of(facts, status=status, reason=reason)
        if not series.count:
            self._touched.append(series)
        series.count += 1
        # Additions into slots that the series knows: no call, and nothing to look up.
        times = series.times
        times.duration += duration
        times.durations[(duration // _FIRST_DURATION).bit_length()] += 1
        times.overhead += overhead
        times.overheads[(overhead // _FIRST_OVERHEAD).bit_length()] += 1
        if ttft >= 0:
            times.ttft += ttft
            times.ttfts[(ttft // _FIRST_DURATION).bit_length()] += 1
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
        """Return what was added, or the first part of it, as JSON-ready lists, and start anew."""
        touched, self._touched = self._touched[:_TAKEN], self._touched[_TAKEN:]
        self.is_behind = bool(self._touched)
        taken: dict[str, object] = {
            "requests": [series.taken() for series in touched],
            # Several series have one route, of which the first one takes all times.
            "times": [series.times.taken() for series in touched if series.route and any(series.times.durations)],
            "upstream_errors": [[*key, count] for key, count in self._upstream_errors.items()],
            "refused_connections": [[*item] for item in self._refused_connections.items()],
            "connections": self.connections,
            "in_flight": self.in_flight,
            "log_lines_dropped": self.log_lines_dropped - self._lines_told,
            "prepared": self.prepared - self._prepared_told,
        }
        self._prepared_told = self.prepared
        self._lines_told = self.log_lines_dropped
        self._upstream_errors = {}
        self._refused_connections = {}
        return taken
