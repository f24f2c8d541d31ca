"""The requests of all workers, added up and bounded: no churn of routes, and no number of keys, makes them grow.

A route has its series as long as the config has it, and a while longer (``departures``). Names of keys are told apart
up to a bound, the first ones that come; what is used no more for an hour makes room for others. The rest is ``OTHER``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from wardgate.ir import GatewayConfig
from wardgate.printable import printable
from wardgate.proxy.departures import Departures

OTHER: Final = "other"
_KEY_IDLE: Final = 3600.0
"""Seconds after which a key that is not used gives its place to another one, if places are wanted."""
_KEY_SWEEP: Final = 60.0
"""Seconds between two looks for such keys."""

Place: TypeAlias = tuple[str, str]
"""A listener and a route on it; the route is empty for requests that found none."""
Kind: TypeAlias = tuple[str, str, str]
"""Key, class of the status, reason."""


class Spans:
    """The requests of one histogram: their number by bucket, and their sum in seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total = 0.0

    def add(self, row: object) -> None:
        """Add a row of ``Histogram.row``, as it came through the pipe."""
        assert isinstance(row, list)
        total, *buckets = row
        self.total += total
        for number, count in buckets:
            self.counts[number] = self.counts.get(number, 0) + count


Times: TypeAlias = tuple[Spans, Spans, Spans]
"""Durations, overheads and first bytes."""


class RequestTotals:
    """``keys``: names that are told apart; ``series``: those of requests that may have a key's name."""

    def __init__(self, *, keys: int, series: int) -> None:
        self._most_keys = keys
        self._most_named = series
        self._named = 0
        self._places: dict[Place, dict[Kind, int]] = {}
        self._times: dict[str, Times] = {}
        self._responses: dict[str, dict[str, int]] = {}
        self._errors: dict[str, dict[str, int]] = {}
        self._keys: dict[str, float] = {}
        """When each was last used."""
        self._keys_looked_through = 0.0
        self._config: GatewayConfig | None = None
        self._place_departures: Departures[Place] = Departures()
        self._upstream_departures: Departures[str] = Departures()

    # What is added.

    def serve(self, config: GatewayConfig, *, now: float) -> None:
        """The config in force; what it lacks will go."""
        if config is self._config:
            return
        self._config = config
        listeners = {printable(listener.name): listener for listener in config.listeners}
        places = {(name, "") for name in listeners}
        for name, listener in listeners.items():
            places.update((name, printable(route.name)) for host in listener.virtual_hosts for route in host.routes)
        upstreams = {printable(upstream.name) for upstream in config.upstreams}
        self._place_departures.serve(places, known=self._places, now=now)
        self._upstream_departures.serve(upstreams, known={*self._responses, *self._errors}, now=now)

    def add(self, taken: Mapping[str, object], *, now: float) -> None:
        """Add what a worker has taken. ``now`` is monotonic, in seconds."""
        for row in rows(taken, "requests"):
            self._add_requests(row, now=now)
        for route, *times in rows(taken, "times"):
            self._add_times(printable(str(route)), times)
        for upstream, reason, count in rows(taken, "upstream_errors"):
            self._add_upstream(self._errors, upstream, label=printable(str(reason)), count=count, now=now)
        self.forget(now=now)

    def _add_requests(self, row: list[object], *, now: float) -> None:
        listener, route, key, upstream, status, reason, count = row
        assert isinstance(status, int)
        assert isinstance(count, int)
        place = (printable(str(listener)), printable(str(route)))
        self._place_departures.heard(place, now=now)
        kind = (self._told_apart(printable(str(key)), now=now), f"{status // 100}xx", printable(str(reason)))
        kinds = self._places.setdefault(place, {})
        if kind not in kinds and kind[0] and kind[0] != OTHER:
            if self._named < self._most_named:
                self._named += 1
            else:
                kind = (OTHER, *kind[1:])
        kinds[kind] = kinds.get(kind, 0) + count
        if upstream and not reason:
            self._add_upstream(self._responses, upstream, label=str(status), count=count, now=now)

    def _told_apart(self, key: str, *, now: float) -> str:
        if not key:
            return key
        if key not in self._keys and not self._has_room(now):
            return OTHER
        self._keys[key] = now
        return key

    def _has_room(self, now: float) -> bool:
        """Whether one more key can be told apart, if need be in the place of those that are not used any more."""
        if len(self._keys) >= self._most_keys and now - self._keys_looked_through >= _KEY_SWEEP:
            self._keys_looked_through = now
            self._forget_keys({key for key, used in self._keys.items() if now - used >= _KEY_IDLE})
        return len(self._keys) < self._most_keys

    def _add_times(self, route: str, times: Iterable[object]) -> None:
        held = self._times.get(route)
        if held is None:
            held = self._times[route] = (Spans(), Spans(), Spans())
        for spans, row in zip(held, times, strict=True):
            spans.add(row)

    def _add_upstream(
        self, sums: dict[str, dict[str, int]], upstream: object, *, label: str, count: object, now: float
    ) -> None:
        assert isinstance(count, int)
        name = printable(str(upstream))
        self._upstream_departures.heard(name, now=now)
        of_this = sums.setdefault(name, {})
        of_this[label] = of_this.get(label, 0) + count

    # What goes.

    def forget(self, *, now: float) -> None:
        """Drop what has left the config and is silent."""
        gone = self._place_departures.gone(now)
        for place in gone:
            self._named -= sum(map(_is_named, self._places.pop(place, ())))
        if gone:
            routes = {route for _, route in self._places}
            self._times = {route: times for route, times in self._times.items() if route in routes}
        for upstream in self._upstream_departures.gone(now):
            self._responses.pop(upstream, None)
            self._errors.pop(upstream, None)

    def _forget_keys(self, keys: set[str]) -> None:
        if not keys:
            return
        for key in keys:
            del self._keys[key]
        for place, kinds in self._places.items():
            kept = {kind: count for kind, count in kinds.items() if kind[0] not in keys}
            self._named -= len(kinds) - len(kept)
            self._places[place] = kept

    # What is shown.

    def requests(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield listener, route, key, class and reason with their count, sorted."""
        for place, kinds in sorted(self._places.items()):
            for kind, count in sorted(kinds.items()):
                yield (*place, *kind), count

    def times(self) -> list[tuple[str, Times]]:
        """Return the times by route, sorted."""
        return sorted(self._times.items())

    def upstream_responses(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield upstream and status with their count, sorted."""
        return _by_upstream(self._responses)

    def upstream_errors(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield upstream and reason with their count, sorted."""
        return _by_upstream(self._errors)


def rows(taken: Mapping[str, object], name: str) -> list[list[object]]:
    """Return the rows of one table of what a worker has taken."""
    table = taken.get(name)
    return table if isinstance(table, list) else []


def _by_upstream(sums: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[tuple[str, str], int]]:
    for upstream, counts in sorted(sums.items()):
        for label, count in sorted(counts.items()):
            yield (upstream, label), count


def _is_named(kind: Kind) -> bool:
    return kind[0] not in ("", OTHER)
