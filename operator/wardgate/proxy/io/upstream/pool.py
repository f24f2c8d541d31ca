"""Connections to one upstream, kept alive and handed out last in, first out.

The last one used is the one least likely to have been closed by the other side, and the rest grow idle and end. Each
endpoint has its own stack. Taking an idle connection allocates nothing; only a new connection costs a task.
"""

from __future__ import annotations

import ssl
from collections.abc import Hashable
from typing import Protocol

from wardgate.ir import Endpoint, Upstream
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.tls import TlsConfigError
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.errors import PoolExhausted, ShareExhausted, TlsFailed, Unreachable, UpstreamError
from wardgate.tasks import spawn
from wardgate.text_codec import to_bytes

_TOO_MANY: dict[ReplyReason, UpstreamError] = {
    ReplyReason.OVERLOAD: PoolExhausted("Too many connections to this upstream."),
    ReplyReason.CALLER_OVER_SHARE: ShareExhausted("One caller asked for more than its share of the connections to it."),
}


class Waiter(Protocol):
    """Who waits for a connection."""

    def upstream_ready(self, connection: UpstreamConnection) -> None:
        """A new connection is open; it belongs to the waiter now."""

    def upstream_failed(self, error: UpstreamError) -> None:
        """There will be none."""


class EndpointPool:
    """The connections to one endpoint."""

    def __init__(self, endpoint: Endpoint, upstream: Upstream, *, dialer: Dialer) -> None:
        self._endpoint = endpoint
        self.host = to_bytes(endpoint.host.removesuffix("."))
        """The endpoint's name, for ``autoHostRewrite``."""
        self._upstream = upstream
        self._dialer = dialer
        self._idle: list[UpstreamConnection] = []
        self._open = 0
        limits = dialer.limits
        self._busy = Budget(limits.upstream_connections, percent=limits.caller_share)
        self._context: ssl.SSLContext | None = None
        self._tls_problem = ""
        self.retired = False

    def prepare(self) -> str:
        """Build the TLS context once; return what is wrong with it, or nothing."""
        if self._upstream.tls is not None and self._context is None:
            try:
                self._context = self._dialer.tls.upstream(self._upstream.tls)
            except TlsConfigError as error:
                self._tls_problem = str(error)
        return self._tls_problem

    def acquire(self, waiter: Waiter, *, holder: Hashable, fresh: bool) -> UpstreamConnection | None:
        """Return an idle connection, unless it must be ``fresh``; else open one and hand it to ``waiter`` later.

        The connection is charged to ``holder`` from now on, before it is open, and until it is idle again or closed.
        """
        refusal = self._busy.take(holder)
        if refusal is not None:
            waiter.upstream_failed(_TOO_MANY[refusal])
            return None
        idle = None if fresh else self._take_idle()
        if idle is not None:
            idle.holder = holder
        elif self._tls_problem:
            self._busy.give_back(holder)
            waiter.upstream_failed(TlsFailed(self._tls_problem))
        elif self._open >= self._busy.limit:
            self._busy.give_back(holder)
            waiter.upstream_failed(_TOO_MANY[ReplyReason.OVERLOAD])
        else:
            self._open += 1
            spawn(self._connect(waiter, holder), name=f"connect {self._endpoint.host}:{self._endpoint.port}")
        return idle

    def take_idle(self, holder: Hashable) -> UpstreamConnection | None:
        """Return an idle connection, charged to ``holder``; None: there is none, or the holder may have no more."""
        if not self._idle or self._busy.take(holder) is not None:
            return None
        idle = self._take_idle()
        if idle is None:
            self._busy.give_back(holder)
        else:
            idle.holder = holder
        return idle

    def _take_idle(self) -> UpstreamConnection | None:
        """The connection used last, if one is idle."""
        while self._idle:
            connection = self._idle.pop()
            # A transport that is closing tells its protocol only with the next turn of the loop.
            if not connection.lost and connection.transport is not None and not connection.transport.is_closing():
                return connection
        return None

    async def _connect(self, waiter: Waiter, holder: Hashable) -> None:
        try:
            connection = await self._dialer.connect(self._endpoint, self._upstream, context=self._context)
        except UpstreamError as error:
            self._give_up(holder)
            waiter.upstream_failed(error)
        except BaseException:
            self._give_up(holder)
            waiter.upstream_failed(Unreachable("The connection could not be made."))
            raise
        else:
            # Lost before ``on_lost`` was set: nobody has counted its end yet.
            if connection.lost:
                self._give_up(holder)
                waiter.upstream_failed(Unreachable("The upstream closed the connection at once."))
                return
            connection.holder = holder
            connection.on_lost = self._lost
            waiter.upstream_ready(connection)

    def _give_up(self, holder: Hashable) -> None:
        self._open -= 1
        self._busy.give_back(holder)

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back whose request and response ended cleanly."""
        self._end_use(connection)
        reusable = connection.detach()
        if not reusable or self.retired or len(self._idle) >= self._dialer.limits.pool_idle:
            connection.close()
            return
        connection.idle_since = self._dialer.clock()
        self._idle.append(connection)

    def tick(self, now: float) -> None:
        """Close what has been idle for too long; the oldest are at the bottom of the stack."""
        oldest = now - self._dialer.timeouts.pool_idle
        expired = 0
        while expired < len(self._idle) and self._idle[expired].idle_since < oldest:
            expired += 1
        for connection in self._idle[:expired]:
            connection.close()
        del self._idle[:expired]

    def retire(self) -> None:
        """No config names this endpoint any more: idle connections end now, busy ones when they are released."""
        self.retired = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _end_use(self, connection: UpstreamConnection) -> None:
        if connection.holder is not None:
            self._busy.give_back(connection.holder)
            connection.holder = None

    def _lost(self, connection: UpstreamConnection) -> None:
        self._open -= 1
        self._end_use(connection)
        if connection in self._idle:
            self._idle.remove(connection)


class UpstreamPool:
    """The endpoints of one upstream, taken in turn."""

    def __init__(self, upstream: Upstream, dialer: Dialer) -> None:
        self._endpoints = tuple(EndpointPool(endpoint, upstream, dialer=dialer) for endpoint in upstream.endpoints)
        self._next = 0

    def prepare(self) -> tuple[str, ...]:
        """See ``EndpointPool.prepare``."""
        return tuple(dict.fromkeys(problem for endpoint in self._endpoints if (problem := endpoint.prepare())))

    def pick(self) -> EndpointPool | None:
        """The endpoint whose turn it is; None if there is none."""
        if not self._endpoints:
            return None
        self._next = (self._next + 1) % len(self._endpoints)
        return self._endpoints[self._next]

    def take_idle(self, holder: Hashable) -> tuple[EndpointPool, UpstreamConnection] | None:
        """An idle connection of the endpoint whose turn it is; None: ``holder`` gets none, and it stays its turn."""
        if not self._endpoints:
            return None
        turn = (self._next + 1) % len(self._endpoints)
        endpoint = self._endpoints[turn]
        connection = endpoint.take_idle(holder)
        if connection is None:
            return None
        self._next = turn
        return endpoint, connection

    def tick(self, now: float) -> None:
        """See ``EndpointPool.tick``."""
        for endpoint in self._endpoints:
            endpoint.tick(now)

    def retire(self) -> None:
        """See ``EndpointPool.retire``."""
        for endpoint in self._endpoints:
            endpoint.retire()
