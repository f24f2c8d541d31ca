"""The endpoints of one upstream, taken in turn.

Those that are put out for their failures (``health``) are passed over, unless that leaves none: then all are tried, for
there is nothing to lose. A request that gets no connection to one endpoint asks the next one; it has been sent nowhere.
"""

from __future__ import annotations

from collections.abc import Hashable

from wardgate.ir import Upstream
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.pool import Ejected, EndpointPool


class UpstreamPool:
    """``ejected`` hears of endpoints that are put out."""

    def __init__(self, upstream: Upstream, dialer: Dialer, *, ejected: Ejected) -> None:
        self._endpoints = tuple(
            EndpointPool(endpoint, upstream, dialer=dialer, ejected=ejected) for endpoint in upstream.endpoints
        )
        for endpoint in self._endpoints:
            endpoint.peers = tuple(other for other in self._endpoints if other is not endpoint)
        self._next = 0

    def prepare(self) -> tuple[str, ...]:
        """See ``EndpointPool.prepare``."""
        return tuple(dict.fromkeys(problem for endpoint in self._endpoints if (problem := endpoint.prepare())))

    def reread(self) -> tuple[str, ...]:
        """See ``EndpointPool.reread``."""
        return tuple(dict.fromkeys(problem for endpoint in self._endpoints if (problem := endpoint.reread())))

    def pick(self) -> EndpointPool | None:
        """The endpoint whose turn it is; None if there is none."""
        if not self._endpoints:
            return None
        turn = (self._next + 1) % len(self._endpoints)
        if self._endpoints[turn].health.is_out:
            turn = self._next_after(turn)
        self._next = turn
        return self._endpoints[turn]

    def take_idle(self, holder: Hashable) -> tuple[EndpointPool, UpstreamConnection] | None:
        """An idle connection of the endpoint whose turn it is; None: ``holder`` gets none, and it stays its turn."""
        if not self._endpoints:
            return None
        turn = (self._next + 1) % len(self._endpoints)
        if self._endpoints[turn].health.is_out:
            turn = self._next_after(turn)
        endpoint = self._endpoints[turn]
        connection = endpoint.take_idle(holder)
        if connection is None:
            return None
        self._next = turn
        return endpoint, connection

    def _next_after(self, turn: int) -> int:
        """The turn of the next endpoint that is not out; the same turn if all are."""
        count = len(self._endpoints)
        turns = ((turn + step) % count for step in range(count))
        return next((each for each in turns if not self._endpoints[each].health.is_out), turn)

    @property
    def is_waited_for(self) -> bool:
        """See ``EndpointPool.is_waited_for``."""
        return any(endpoint.is_waited_for for endpoint in self._endpoints)

    def tick(self, now: float) -> None:
        """See ``EndpointPool.tick``."""
        for endpoint in self._endpoints:
            endpoint.tick(now)

    def retire(self) -> None:
        """See ``EndpointPool.retire``."""
        for endpoint in self._endpoints:
            endpoint.retire()
