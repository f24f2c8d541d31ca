"""The pools of a worker: one for each upstream of the table in force, kept from table to table."""

from __future__ import annotations

from collections.abc import Hashable

from wardgate.proxy.core.messages import Outgoing
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.upstream.destinations import CompiledUpstream
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.endpoints import UpstreamPool
from wardgate.proxy.io.upstream.pool import Ejected, EndpointPool


class UpstreamPools:
    """``dialer`` opens the connections of all of them."""

    __slots__ = ("_dialer", "_ejected", "_pools", "_retired")

    def __init__(self, dialer: Dialer, *, ejected: Ejected) -> None:
        self._dialer = dialer
        self._ejected = ejected
        self._pools: dict[CompiledUpstream, UpstreamPool] = {}
        self._retired: list[UpstreamPool] = []
        """Those for which requests of earlier tables still wait."""

    def prepare(self, table: Table) -> tuple[str, ...]:
        """Keep the pools that the table names, make those it lacks, retire the rest; return problems, in sentences."""
        held, self._pools = self._pools, {}
        problems: list[str] = []
        for upstream in table.upstreams.values():
            pool = held.pop(upstream, None) or UpstreamPool(upstream.spec, self._dialer, ejected=self._ejected)
            self._pools[upstream] = pool
            problems += [f"Upstream {upstream.name}: {problem}" for problem in pool.prepare()]
        for pool in held.values():
            pool.retire()
        self._retired += [pool for pool in held.values() if pool.is_waited_for]
        return tuple(problems)

    def reread(self) -> tuple[str, ...]:
        """Use certificates out of files that have changed; return what cannot be used, in sentences."""
        return tuple(
            f"Upstream {upstream.name}: {problem}"
            for upstream, pool in self._pools.items()
            for problem in pool.reread()
        )

    def endpoint(self, outgoing: Outgoing) -> EndpointPool | None:
        """Pick the endpoint of the destination whose turn it is."""
        pool = self._pools.get(outgoing.upstream)
        if pool is None:
            # The table has moved on; this request goes where it was meant to go (invariant 10).
            pool = UpstreamPool(outgoing.upstream.spec, self._dialer, ejected=self._ejected)
            pool.prepare()
            pool.retire()
        return pool.pick()

    def take_idle(self, upstream: CompiledUpstream, holder: Hashable) -> tuple[EndpointPool, UpstreamConnection] | None:
        """Take an idle connection to a destination, and the endpoint that it goes to; None: ``holder`` gets none."""
        pool = self._pools.get(upstream)
        return None if pool is None else pool.take_idle(holder)

    def tick(self, now: float) -> None:
        """Close what has been idle for too long."""
        for pool in self._pools.values():
            pool.tick(now)
        if self._retired:
            for pool in self._retired:
                pool.tick(now)
            self._retired = [pool for pool in self._retired if pool.is_waited_for]

    def retire(self) -> None:
        """The worker ends: idle connections end now, busy ones when they are released."""
        for pool in self._pools.values():
            pool.retire()
