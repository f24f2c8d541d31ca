"""What one worker shares among its connections: the table in service, pools, budgets, clocks, counts and the log.

It is the only object that knows which revision is in force. ``apply`` builds the next table in slices, between which
requests are served, and flips it in; streams keep the table that they began with.
"""

from __future__ import annotations

import asyncio
import math
import os
import socket
from collections.abc import Callable
from email.utils import formatdate
from random import randrange
from time import time
from typing import TYPE_CHECKING

from wardgate.proxy.access_log import METHOD_BYTES, PATH_BYTES, AccessLog, shortened
from wardgate.proxy.assembly import Assembled
from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.auth.guesses import Guesses
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.http1.loops import LoopMark
from wardgate.proxy.core.messages import Header, Outgoing, Reply, Request
from wardgate.proxy.core.routing.plans import CompiledUpstream
from wardgate.proxy.core.routing.table import Table, TableBuilder
from wardgate.proxy.core.upstream.addresses import AddressRules
from wardgate.proxy.io.complaints import Complaints
from wardgate.proxy.io.downstream import Downstream
from wardgate.proxy.io.errors import UpstreamError
from wardgate.proxy.io.name_cache import Lookup
from wardgate.proxy.io.name_servers import NameServers
from wardgate.proxy.io.pool import Connector, EndpointPool, UpstreamPool
from wardgate.proxy.io.ports import Ports
from wardgate.proxy.io.request_ids import RequestIds
from wardgate.proxy.io.resolver import Address, Resolver, is_local_address
from wardgate.proxy.io.shares import Budget
from wardgate.proxy.io.tls import TlsFactory
from wardgate.proxy.metrics import Counters
from wardgate.proxy.settings import ProxySettings

if TYPE_CHECKING:
    from wardgate.proxy.io.stream import Stream

_SLICE = 50
"""Steps of a table's building between two breaths for requests."""


class Gateway:
    """See the module. ``clock`` is monotonic and ``now`` the wall's, both in seconds; ``report`` takes sentences.

    ``lookup`` None: the machine's name servers are asked.
    """

    def __init__(
        self,
        settings: ProxySettings,
        *,
        counters: Counters,
        log: AccessLog | None,
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] | None = None,
        now: Callable[[], float] = time,
        lookup: Lookup | None = None,
    ) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.timeouts = settings.timeouts
        self.clock = clock or asyncio.get_running_loop().time
        self.now = now
        self.draining = False
        self.loop_mark = LoopMark(settings.installation)
        self._ids = RequestIds()
        self.guesses = Guesses(per_address=self.limits.address_guesses, per_user=self.limits.user_guesses)
        self.table: Table | None = None
        self.credentials = CredentialIndex()
        self._stale_after = -math.inf if settings.max_config_age else math.inf
        self._routes_hash = ""
        self._pools: dict[CompiledUpstream, UpstreamPool] = {}
        self._counters = counters
        self._log = log
        self._complaints = Complaints(report=report)
        self._connections: set[Downstream] = set()
        percent, limits = self.limits.caller_share, self.limits
        # A request and its response, both collected, always have room.
        self.bodies = Budget(limits.buffered_bytes, percent=percent, at_least=2 * limits.body_bytes)
        self._admitted = Budget(limits.connections, percent=percent)
        self._revoked_at: dict[Exchange, float] = {}
        self._idle = asyncio.Event()
        self._own_headers: tuple[int, tuple[Header, ...]] = (0, ())
        pins = {_split(name): Address(*_split(address)) for name, address in settings.pins}
        self._resolver = Resolver(
            pins=pins,
            lookup=lookup or NameServers().lookup,
            clock=self.clock,
            stale=self.timeouts.stale_addresses,
            report=report,
        )
        self._tls = TlsFactory(files_root=settings.files_root, extra_ca=settings.upstream_ca)
        self._ports = Ports(
            protocol=lambda port: Downstream(self, port),
            tls=self._tls,
            handshakes=Budget(limits.connections, percent=percent),
            handshake_timeout=self.timeouts.head,
            refused=counters.refused_connection,
        )
        self._connector = Connector(
            resolver=self._resolver,
            tls=self._tls,
            limits=self.limits,
            timeouts=self.timeouts,
            clock=self.clock,
            unix_root=settings.unix_root,
        )

    # Config.

    async def apply(self, config: Assembled) -> tuple[str, ...]:
        """Put a config into service; return what of it cannot be served, in sentences."""
        problems: tuple[str, ...] = ()
        if config.routes_hash != self._routes_hash:
            builder = TableBuilder(config.routes, os.environ, previous=self.table)
            steps = 0
            while builder.step():
                steps += 1
                if steps % _SLICE == 0:
                    await asyncio.sleep(0)
            table = builder.finish()
            problems = self._prepare_pools(table)
            self._resolver.rules = AddressRules(
                config.routes.guard, own=self._own_addresses(), is_local=is_local_address
            )
            # Keys and routes change in one breath: no request sees the one without the other.
            self.table, self.credentials = table, config.credentials
            self._routes_hash = config.routes_hash
            problems += await self._ports.serve(table)
        else:
            self.credentials = config.credentials
        return problems

    def renew(self, *, age: float) -> None:
        """The config was confirmed ``age`` seconds ago; from then on this process counts by itself."""
        if self.settings.max_config_age:
            self._stale_after = self.clock() - age + self.settings.max_config_age

    @property
    def is_stale(self) -> bool:
        """Whether the config was confirmed longer ago than it may be served."""
        return self.clock() > self._stale_after

    def _prepare_pools(self, table: Table) -> tuple[str, ...]:
        held, self._pools = self._pools, {}
        problems: list[str] = []
        for upstream in table.upstreams.values():
            pool = held.pop(upstream, None) or UpstreamPool(upstream.spec, self._connector)
            self._pools[upstream] = pool
            problems += [f"Upstream {upstream.name}: {problem}" for problem in pool.prepare()]
        for pool in held.values():
            pool.retire()
        return tuple(problems)

    # Listening.

    def add_socket(self, port: int, sock: socket.socket) -> None:
        """Take a listening socket; it is served once a table has a listener for the port."""
        self._ports.add(port, sock)

    def client_names(self, port: int) -> tuple[str, ...]:
        """The names of which a caller's certificate must carry one."""
        return self._ports.client_names(port)

    def _own_addresses(self) -> tuple[tuple[str, int], ...]:
        admin = (_split(self.settings.admin),) if self.settings.admin else ()
        return self._ports.addresses() + admin

    async def drain(self) -> None:
        """Stop listening, finish what is in flight."""
        self.draining = True
        self._ports.close()
        for connection in self.connections:
            connection.drain()
        if self._connections:
            self._idle.clear()
            await self._idle.wait()
        for pool in self._pools.values():
            pool.retire()

    def cut(self) -> None:
        """End what is still in flight, such as what outlasts the draining; each request leaves its line in the log."""
        for connection in self.connections:
            connection.cut()

    # Connections.

    def admit(self, connection: Downstream) -> bool:
        """Take a caller's connection, unless there are too many, of all callers or of this one."""
        refusal = self._admitted.take(connection.caller.address)
        if refusal is not None:
            self._counters.refused_connection(refusal)
            return False
        self._connections.add(connection)
        self._counters.connections += 1
        return True

    @property
    def connections(self) -> tuple[Downstream, ...]:
        """Callers' connections at the moment."""
        return tuple(self._connections)

    def leave(self, connection: Downstream) -> None:
        """A caller's connection ended."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._admitted.give_back(connection.caller.address)
            self._counters.connections -= 1
        if not self._connections:
            self._idle.set()

    def tick(self) -> None:
        """Look at every deadline."""
        now = self.clock()
        for connection in self.connections:
            connection.tick(now)
        for pool in self._pools.values():
            pool.tick(now)

    # Exchanges.

    def serves(self, port: int) -> bool:
        """Whether the table in force has a listener on that port."""
        return self.table is not None and port in self.table.listeners

    def exchange(self, request: Request, *, port: int, caller: Caller) -> Exchange:
        """Begin an exchange on the table in force."""
        self._counters.in_flight += 1
        request_id = self._ids.name(request)
        table = self.table
        assert table is not None, "Asked only where serves() says so."
        listener = table.listeners[port]
        exchange = Exchange(table, self.credentials, listener, request, caller=caller, now=self.now(), pick=randrange)
        exchange.facts.request_id = request_id
        return exchange

    def endpoint(self, outgoing: Outgoing) -> EndpointPool | None:
        """Pick the endpoint of the destination whose turn it is."""
        pool = self._pools.get(outgoing.upstream)
        if pool is None:
            # The table has moved on; this request goes where it was meant to go (invariant 10).
            pool = UpstreamPool(outgoing.upstream.spec, self._connector)
            pool.prepare()
            pool.retire()
        return pool.pick()

    def cut_off(self, exchange: Exchange, now: float) -> bool:
        """Whether the key of a request in flight has been bad for longer than ``revokedGrace`` (invariant 5)."""
        used = exchange.credentials_used
        if not used:
            return False
        if all(self.credentials.holds(credential, now=self.now()) for credential in used):
            self._revoked_at.pop(exchange, None)
            return False
        since = self._revoked_at.setdefault(exchange, now)
        return now - since >= self.timeouts.revoked_grace

    @property
    def buffered(self) -> int:
        """Bytes of bodies held at the moment."""
        return self.bodies.total

    def own_headers(self) -> tuple[Header, ...]:
        """Headers of an answer of the gateway's own; the date is made once a second."""
        second = int(self.now())
        if self._own_headers[0] != second:
            date = formatdate(second, usegmt=True).encode()
            self._own_headers = (second, ((b"date", date), (b"server", b"wardgate")))
        return self._own_headers[1]

    # Accounts.

    def upstream_error(self, exchange: Exchange, error: UpstreamError) -> None:
        """Count a failure of an upstream, and tell whoever runs this proxy about it."""
        self._counters.upstream_error(upstream=exchange.facts.upstream, reason=error.reason)
        self._complaints.about(exchange.facts.upstream, error, now=self.clock())

    def refused_head(self, connection: Downstream, reply: Reply) -> None:
        """Account for a request that could not even be read."""
        self._counters.request(
            listener=str(connection.port), route="", status=reply.status, reason=reply.reason, seconds=0.0
        )
        if self._log is not None:
            self._log.add(
                {
                    "time": self.now(),
                    "listener": str(connection.port),
                    "caller": connection.peer,
                    "status": reply.status,
                    "reason": reply.reason,
                }
            )

    def record(self, exchange: Exchange, stream: Stream, peer: str, started: float) -> None:
        """Account for a finished exchange."""
        self._counters.in_flight -= 1
        self._revoked_at.pop(exchange, None)
        facts = exchange.facts
        seconds = self.clock() - started
        self._counters.request(
            listener=facts.listener,
            route=facts.route,
            status=stream.writer.status,
            reason=facts.reason,
            seconds=seconds,
        )
        if self._log is not None:
            self._log.add(
                {
                    "time": round(self.now(), 3),
                    "listener": facts.listener,
                    "caller": peer,
                    "request_id": exchange.redacted(facts.request_id.decode("latin-1")),
                    "method": shortened(stream.method.decode("latin-1"), METHOD_BYTES),
                    "path": shortened(exchange.redacted(stream.path.decode("latin-1")), PATH_BYTES),
                    "status": stream.writer.status,
                    "reason": facts.reason,
                    "route": facts.route,
                    "policy": facts.policy,
                    "key": facts.credential,
                    "upstream": facts.upstream,
                    "milliseconds": round(seconds * 1000, 3),
                    "received": stream.received_bytes,
                    "sent": stream.writer.sent_bytes,
                }
            )


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]").lower(), int(port)
