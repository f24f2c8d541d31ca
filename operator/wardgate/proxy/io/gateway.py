"""A worker's data plane: it makes the parts that serve, puts configs into service, and ends them in order.

``apply`` builds the next table in slices, between which requests are served, and flips it in; streams keep the table
that they began with.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from time import monotonic, time
from typing import cast

from wardgate.ir import Guard
from wardgate.proxy.access_log import AccessLog
from wardgate.proxy.assembly import Assembled
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.routing.table import Table
from wardgate.proxy.core.routing.table_builder import TableBuilder
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.downstream.connection import Downstream
from wardgate.proxy.io.listening.ports import Ports
from wardgate.proxy.io.shared.caller_connections import CallerConnections
from wardgate.proxy.io.shared.complaints import Complaints
from wardgate.proxy.io.shared.context import WorkerContext
from wardgate.proxy.io.shared.fast_path import FastPath
from wardgate.proxy.io.shared.reply_headers import ReplyHeaders
from wardgate.proxy.io.shared.served_config import ServedConfig
from wardgate.proxy.io.shared.telemetry import Telemetry
from wardgate.proxy.io.tls import TlsFactory
from wardgate.proxy.io.upstream.dialer import Dialer
from wardgate.proxy.io.upstream.name_cache import Lookup
from wardgate.proxy.io.upstream.name_servers import NameServers
from wardgate.proxy.io.upstream.pools import UpstreamPools
from wardgate.proxy.io.upstream.resolver import Address, Resolver, is_local_address
from wardgate.proxy.sampling import Sampling
from wardgate.proxy.settings import ProxySettings
from wardgate.tasks import spawn

_REREAD = 5.0
"""Seconds between two looks at the files of certificates."""
_SLICE = 50
"""Steps of a table's building between two breaths for requests."""


class Gateway:
    """See the module. ``clock`` is monotonic and ``now`` the wall's, both in seconds; ``report`` takes sentences.

    The loop's own clock would not do: uvloop's shows whole milliseconds, and stands while callbacks run.

    ``lookup`` None: the machine's name servers are asked.
    """

    def __init__(
        self,
        settings: ProxySettings,
        *,
        counters: Counters,
        log: AccessLog | None,
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], float] = time,
        lookup: Lookup | None = None,
    ) -> None:
        limits, timeouts, percent = settings.limits, settings.timeouts, settings.limits.caller_share
        self._admin = (_split(settings.admin),) if settings.admin else ()
        self._routes_hash = ""
        self._report = report
        self._reread_at = clock() + _REREAD
        self._resolver = Resolver(
            pins={_split(name): Address(*_split(address)) for name, address in settings.pins},
            lookup=lookup or NameServers().lookup,
            clock=clock,
            stale=timeouts.stale_addresses,
            report=report,
        )
        tls = TlsFactory(files_root=settings.files_root, extra_ca=settings.upstream_ca)
        dialer = Dialer(
            resolver=self._resolver,
            tls=tls,
            limits=limits,
            timeouts=timeouts,
            clock=clock,
            unix_root=settings.unix_root,
        )
        mark = LoopMark(settings.installation)
        served = ServedConfig(max_age=settings.max_config_age, clock=clock, now=now)
        telemetry = Telemetry(
            counters=counters,
            log=log,
            sampling=Sampling(settings.access_log_sample, installation=settings.installation),
            complaints=Complaints(report=report),
            clock=clock,
            now=now,
        )
        self.context = WorkerContext(
            limits=limits,
            timeouts=timeouts,
            clock=clock,
            now=now,
            loop_mark=mark,
            upgrades=frozenset(map(str.encode, settings.upgrades)),
            guesses=Guesses(per_address=limits.address_guesses, per_user=limits.user_guesses),
            # A request and its response, both collected, always have room.
            bodies=Budget(limits.buffered_bytes, percent=percent, at_least=2 * limits.body_bytes),
            ports=Ports(
                protocol=self._protocol,
                tls=tls,
                handshakes=Budget(limits.connections, percent=percent),
                handshake_timeout=timeouts.head,
                refused=counters.refused_connection,
            ),
            config=served,
            callers=CallerConnections(
                Budget(limits.connections, percent=percent),
                counters=counters,
                requests=limits.requests,
                idle_time=timeouts.idle,
            ),
            fast_path=FastPath(limits, mark=mark, next_id=served.ids.fresh, lots=served.lots)
            if limits.remembered_lines
            else None,
            upstreams=UpstreamPools(dialer, ejected=telemetry.endpoint_ejected),
            telemetry=telemetry,
            reply_headers=ReplyHeaders(now),
        )

    def _protocol(self, port: int, introduced: str) -> asyncio.Protocol:
        return cast("asyncio.Protocol", Downstream(self.context, port, introduced=introduced))

    def add_socket(self, port: int, sock: socket.socket) -> None:
        """Take a listening socket; it is served once a table has a listener for the port."""
        self.context.ports.add(port, sock)
        table = self.context.config.table
        if table is not None and port in table.listeners:
            # It could not be bound when its table came into force.
            self._guard(table.config.guard)
            spawn(self.context.ports.catch_up(lambda: self.context.config.table), name="late socket")

    async def borrow_socket(self, port: int, sock: socket.socket, *, owner: int) -> None:
        """Serve the socket of another worker, which is stuck or gone, until ``give_back``."""
        await self.context.ports.borrow(port, sock, owner=owner, table=lambda: self.context.config.table)

    async def give_back(self, owner: int) -> None:
        """Leave the sockets of another worker to it, and what is queued there."""
        await self.context.ports.give_back(owner)

    async def apply(self, config: Assembled) -> tuple[str, ...]:
        """Put a config into service; return what of it cannot be served, in sentences."""
        served = self.context.config
        if config.routes_hash == self._routes_hash:
            served.credentials = config.credentials
            return ()
        table = await self._build(config)
        problems = self.context.upstreams.prepare(table)
        self._guard(config.routes.guard)
        # Keys and routes change in one breath: no request sees the one without the other.
        served.table, served.credentials = table, config.credentials
        self._routes_hash = config.routes_hash
        return problems + await self.context.ports.serve(table)

    def _guard(self, guard: Guard) -> None:
        own = self.context.ports.addresses() + self._admin
        self._resolver.rules = AddressRules(guard, own=own, is_local=is_local_address)

    async def _build(self, config: Assembled) -> Table:
        builder = TableBuilder(config.routes, os.environ, previous=self.context.config.table)
        steps = 0
        while builder.step():
            steps += 1
            if steps % _SLICE == 0:
                await asyncio.sleep(0)
        return builder.finish()

    def renew(self, *, age: float) -> None:
        """The config was confirmed ``age`` seconds ago."""
        self.context.config.renew(age=age)

    def tick(self) -> None:
        """Look at every deadline."""
        now = self.context.clock()
        self.context.callers.tick(now)
        self.context.upstreams.tick(now)
        if now >= self._reread_at:
            self._reread_at = now + _REREAD
            for problem in self.context.upstreams.reread():
                self._report(problem)
            if self.context.ports.outdated():
                spawn(self._reread(), name="certificates")

    async def _reread(self) -> None:
        for problem in await self.context.ports.reread():
            self._report(problem)

    def announce_end(self) -> None:
        """From now on each response is the last one of its connection; the listeners go on accepting."""
        self.context.callers.draining = True

    async def drain(self) -> None:
        """Stop listening, and finish what is in flight, what the listeners' queues hold included."""
        callers = self.context.callers
        self.context.ports.finish()
        callers.drain(idle_time=self.context.timeouts.drain_idle)
        await self.context.ports.arrived()
        await callers.ended()
        self.context.upstreams.retire()

    def cut(self) -> None:
        """End what is still in flight, such as what outlasts the draining; each request leaves its line in the log."""
        self.context.callers.cut()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]").lower(), int(port)
