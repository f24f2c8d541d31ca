"""Whether an endpoint gets requests, by how its last ones went.

Rule 1: so many failures one after the other put an endpoint out for a while. A failure is the gateway's own finding: no
        connection, none that can be trusted, none that stays, no answer in time. A status of the upstream is none.
Rule 2: when its time is over it gets requests again. The first one decides: a success and all is forgotten, a failure
        and it is out at once, for twice as long, up to a bound.
Rule 3: failures of requests that were on their way when it was put out count no more.

Nothing here sets a timer: the worker's tick asks ``tick``. Who else could serve is for ``endpoints`` to know.
"""

from __future__ import annotations


class EndpointHealth:
    """``limit``: failures in a row; 0: they are not counted. ``shortest`` and ``longest`` are in seconds."""

    __slots__ = ("_failures", "_limit", "_longest", "_shortest", "_time", "_until", "is_out", "is_troubled")

    def __init__(self, *, limit: int, shortest: float, longest: float) -> None:
        self._limit = limit
        self._shortest = shortest
        self._longest = longest
        self._failures = 0
        self._time = 0.0
        """Of the last time that it was put out; 0: none since the last success."""
        self._until = 0.0
        self.is_out = False
        self.is_troubled = False
        """Whether it failed since the last success."""

    def failed(self, now: float) -> float:
        """A request failed; return for how many seconds that puts the endpoint out, or 0."""
        if not self._limit or self.is_out:
            return 0.0
        self.is_troubled = True
        self._failures += 1
        if self._failures < self._limit:
            return 0.0
        self._failures = self._limit - 1
        self._time = min(2 * self._time or self._shortest, self._longest)
        self._until = now + self._time
        self.is_out = True
        return self._time

    def succeeded(self) -> None:
        """A request went well."""
        self._failures = 0
        self._time = 0.0
        self.is_troubled = False

    def tick(self, now: float) -> None:
        """Let the endpoint in again once its time is over."""
        if now >= self._until:
            self.is_out = False
