"""One worker's counts: plain dictionaries, of which the supervisor is sent once a second what has been added.

So a worker that dies takes at most a second's counts with it, and no worker loads the library that shows the sums
(``metrics``).
"""

from __future__ import annotations

from bisect import bisect_left

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
        "prepared",
    )

    def __init__(self) -> None:
        self._requests: Requests = {}
        self._durations: dict[str, list[float]] = {}
        self._upstream_errors: dict[tuple[str, str], int] = {}
        self._refused_connections: dict[str, int] = {}
        self.connections = 0
        self.in_flight = 0
        self.prepared = 0
        """Requests that took the fast path, of this worker, since it began."""
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
