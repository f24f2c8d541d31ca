"""Connections to one upstream, kept alive and handed out last in, first out.

The last one used is the one least likely to have been closed by the other side, and the rest grow idle and end. Each
endpoint has its own stack. Taking an idle connection allocates nothing; only a new connection costs a task. A
connection ends at an age that differs from the next one's, so that new ones follow changes of names and of balancers.

Where there are as many as may be, requests wait in line for one to become free.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Hashable
from random import random
from typing import Final, Protocol

from wardgate.ir import Endpoint, Upstream, UpstreamTls
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.tls import Stamp, TlsConfigError
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.errors import PoolExhausted, ShareExhausted, TlsFailed, Unreachable, UpstreamError
from wardgate.proxy.io.upstream.health import EndpointHealth
from wardgate.proxy.io.upstream.waiting_line import Waiter, WaitingLine
from wardgate.tasks import spawn
from wardgate.text_codec import to_bytes

_TOO_MANY: dict[ReplyReason, UpstreamError] = {
    ReplyReason.OVERLOAD: PoolExhausted("Too many connections to this upstream."),
    ReplyReason.CALLER_OVER_SHARE: ShareExhausted("One caller asked for more than its share of the connections to it."),
}
_WAITED: Final = PoolExhausted("No connection to this upstream became free in time.")
_SPREAD: Final = 0.1
"""Of the age of connections: those that were made together do not end together."""


class Ejected(Protocol):
    """Hears of endpoints that are put out."""

    def __call__(self, upstream: str, endpoint: str, *, seconds: float, error: UpstreamError) -> None:
        """An upstream's endpoint gets no requests for so long; ``error`` was the last straw."""


class EndpointPool:
    """The connections to one endpoint."""

    def __init__(self, endpoint: Endpoint, upstream: Upstream, *, dialer: Dialer, ejected: Ejected) -> None:
        self._endpoint = endpoint
        self.host = to_bytes(endpoint.host.removesuffix("."))
        """The endpoint's name, for ``autoHostRewrite``."""
        self._upstream = upstream
        self._dialer = dialer
        self._idle: list[UpstreamConnection] = []
        self._open = 0
        limits = dialer.limits
        self._busy = Budget(limits.upstream_connections, percent=limits.caller_share)
        self._ejected = ejected
        timeouts = dialer.timeouts
        self.health = EndpointHealth(
            limit=limits.endpoint_failures if len(upstream.endpoints) > 1 else 0,
            shortest=timeouts.ejection,
            longest=timeouts.longest_ejection,
        )
        self.peers: tuple[EndpointPool, ...] = ()
        """The other endpoints of the upstream."""
        self._line = WaitingLine(limits.upstream_queue, percent=limits.caller_share)
        self._context: ssl.SSLContext | None = None
        self._tls_problem = ""
        self._stamp: Stamp = ()
        """Of the files that the context was built from."""
        self.retired = False

    def prepare(self) -> str:
        """Build the TLS context once; return what is wrong with it, or nothing."""
        if self._upstream.tls is not None and self._context is None:
            self._tls_problem = self._build_context(self._upstream.tls)
        return self._tls_problem

    def reread(self) -> str:
        """Build the TLS context anew if its files have changed; return what is wrong with them, or nothing.

        Certificates that served go on serving until there are better ones.
        """
        tls = self._upstream.tls
        if tls is None or not self._stamp or self._stamp == self._dialer.tls.stamp(tls):
            return ""
        problem = self._build_context(tls)
        if not problem:
            self._tls_problem = ""
            self._close_idle()
        return problem

    def _build_context(self, tls: UpstreamTls) -> str:
        # Before the files are read: one that changes meanwhile is read again.
        self._stamp = self._dialer.tls.stamp(tls)
        try:
            self._context = self._dialer.tls.upstream(tls)
        except TlsConfigError as error:
            return str(error)
        return ""

    def acquire(self, waiter: Waiter, *, holder: Hashable, fresh: bool) -> UpstreamConnection | None:
        """Return an idle connection, unless it must be ``fresh``; else hand one to ``waiter`` later.

        The connection is charged to ``holder`` from now on, before it is open, and until it is idle again or closed.
        Where all are in use, ``waiter`` waits in line, and may be handed one that is not fresh.
        """
        refusal = self._busy.take(holder)
        if refusal is not None:
            if refusal is ReplyReason.OVERLOAD:
                self._queue(waiter, holder)
            else:
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
            self._queue(waiter, holder)  # for one that is being closed
        else:
            self._open_one(waiter, holder)
        return idle

    def _queue(self, waiter: Waiter, holder: Hashable) -> None:
        """Have a request wait for a connection, if there is room in the line."""
        longest = self._dialer.timeouts.upstream_queue
        refusal: ReplyReason | None = ReplyReason.OVERLOAD
        if longest:
            refusal = self._line.join(waiter, holder, until=self._dialer.clock() + longest)
        if refusal is not None:
            waiter.upstream_failed(_TOO_MANY[refusal])

    def leave(self, waiter: Waiter) -> None:
        """A request does not want a connection any more."""
        if self._line.waiting:
            self._line.leave(waiter)

    @property
    def is_waited_for(self) -> bool:
        """Whether requests wait for a connection."""
        return self._line.waiting > 0

    def _open_one(self, waiter: Waiter, holder: Hashable) -> None:
        self._open += 1
        spawn(self._connect(waiter, holder), name=f"connect {self._endpoint.host}:{self._endpoint.port}")

    def _open_for_next(self) -> None:
        """A place is free: open a connection for whoever is next in line."""
        if self._open >= self._busy.limit:
            return
        found = self._line.next(self._busy.take)
        if found is not None:
            self._open_one(*found)

    def _pass_on(self, connection: UpstreamConnection) -> bool:
        """Give a connection that is free to whoever is next in line."""
        found = self._line.next(self._busy.take)
        if found is None:
            return False
        waiter, connection.holder = found
        waiter.upstream_ready(connection)
        return True

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
            self._blame(error)
            waiter.upstream_failed(error)
        except BaseException:
            self._give_up(holder)
            waiter.upstream_failed(Unreachable("The connection could not be made."))
            raise
        else:
            # Lost before ``on_lost`` was set: nobody has counted its end yet.
            if connection.lost:
                self._give_up(holder)
                closed = Unreachable("The upstream closed the connection at once.")
                self._blame(closed)
                waiter.upstream_failed(closed)
                return
            connection.holder = holder
            connection.on_lost = self._lost
            connection.expires_at = self._expiry()
            waiter.upstream_ready(connection)

    def failed(self, error: UpstreamError) -> None:
        """A request that was sent here got no response, or half of one."""
        if error.of_exchange:
            self._blame(error)

    def _blame(self, error: UpstreamError) -> None:
        seconds = self.health.failed(self._dialer.clock())
        if seconds:
            place = self._endpoint.unix_path or f"{self._endpoint.host}:{self._endpoint.port}"
            self._ejected(self._upstream.name, place, seconds=seconds, error=error)

    def stand_in(self, tried: tuple[EndpointPool, ...]) -> EndpointPool | None:
        """Return another endpoint for a request that got no connection to those that it has tried."""
        untried = [peer for peer in self.peers if peer not in tried]
        return next((peer for peer in untried if not peer.health.is_out), untried[0] if untried else None)

    def _give_up(self, holder: Hashable) -> None:
        self._open -= 1
        self._busy.give_back(holder)
        if self._line.waiting:
            self._open_for_next()

    def _expiry(self) -> float:
        age = self._dialer.timeouts.pool_age
        return self._dialer.clock() + age * (1 - _SPREAD * random()) if age else math.inf  # noqa: S311 - no secret

    def release(self, connection: UpstreamConnection) -> None:
        """Take a connection back whose request and response ended cleanly."""
        self._end_use(connection)
        if self.health.is_troubled:
            self.health.succeeded()
        now = self._dialer.clock()
        if not connection.detach() or now >= connection.expires_at:
            connection.close()
        elif self._line.waiting and self._pass_on(connection):
            return
        elif self.retired or len(self._idle) >= self._dialer.limits.pool_idle:
            connection.close()
        else:
            connection.idle_since = now
            self._idle.append(connection)

    def tick(self, now: float) -> None:
        """Close what has been idle for too long, at the bottom of the stack; end what has waited for too long."""
        if self.health.is_out:
            self.health.tick(now)
        if self._line.waiting:
            for waiter in self._line.overdue(now):
                waiter.upstream_failed(_WAITED)
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
        self._close_idle()

    def _close_idle(self) -> None:
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
        if self._line.waiting:
            self._open_for_next()
