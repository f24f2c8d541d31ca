"""The parent of the workers: it holds the sockets, hands out configs and replaces workers that die.

It carries no request. A worker that dies, or says nothing for too long, is replaced by one that inherits its listening
sockets, with the config that is in force; until then the others serve what is queued there. A config is in force once
a worker serves it (``rollout``); ``apply`` returns once every worker has answered.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

from prometheus_client import CollectorRegistry

from wardgate.admin import AdminServer
from wardgate.proxy.cpus import available_cpus
from wardgate.proxy.metrics import Totals
from wardgate.proxy.open_ports import OpenPorts
from wardgate.proxy.pages import ProxyState, pages
from wardgate.proxy.request_totals import RequestTotals
from wardgate.proxy.rollout import ConfigRefused, catch_up, roll_out
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError, BoundPort
from wardgate.proxy.stand_ins import StandIns
from wardgate.proxy.worker_process import WorkerProcess
from wardgate.proxy.worker_troubles import WorkerTroubles
from wardgate.tasks import spawn
from wardgate.wire.bundle import ROUTES, Bundle
from wardgate.wire.decode import Decoded, RoutesDecoder, unknown_groups
from wardgate.wire.delivery import Delivery
from wardgate.wire.errors import WireError

_STOP_MARGIN = 2.0
"""Seconds that a worker may take to end after its drain."""
_WATCH_EVERY = 0.25
_SUSPICION = 1.5
"""Seconds. Workers report each second; the sockets of one that does not are served by the others, too."""


@dataclass(frozen=True, slots=True)
class BoundListener:
    """A listener that serves. ``port`` is its own number, ``address`` where callers reach it."""

    name: str
    port: int
    address: str
    tls: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome of a config. ``problems`` are sentences; a listener that could not be bound is one of them.

    ``asked``: the ports of the config's listeners by name, whether they are served or not.
    """

    revision: str
    asked: Mapping[str, int]
    listeners: tuple[BoundListener, ...]
    problems: tuple[str, ...]


class Supervisor:
    """See the module. ``announce`` gets one sentence for each event an operator of the proxy would want to know."""

    def __init__(self, settings: ProxySettings, *, announce: Callable[[str], None]) -> None:
        # Without a name that others share, the workers of this process still know each other's requests.
        self._settings = replace(settings, installation=settings.installation or token_hex(8))
        self._announce = announce
        self._count = settings.workers or available_cpus()
        self._workers: dict[int, WorkerProcess] = {}
        self._troubles = WorkerTroubles(announce)
        self._ports = OpenPorts(settings, count=self._count, on_bound=self._hand_out)
        self._stand_ins = StandIns(workers=self._workers, ports=self._ports.bound)
        self._bundle: Bundle | None = None
        self._decoded: Decoded | None = None
        self._decoder = RoutesDecoder()
        self._read: tuple[object, Decoded] | None = None
        self._delivery: Callable[[], Delivery] | None = None
        limits = settings.limits
        self._totals = Totals(RequestTotals(keys=limits.metric_keys, series=limits.metric_series))
        self._totals.unserved = self._unserved
        self._registry = CollectorRegistry()
        self._registry.register(self._totals)
        self._admin = AdminServer(
            pages=pages(self._state, self._registry, max_age=settings.max_config_age), local=frozenset({"/config"})
        )
        self._stopping = False
        """Since the first moment of the ending."""
        self._draining = False
        """Since nobody may connect any more."""
        self._applying = asyncio.Lock()

    @property
    def admin_address(self) -> str:
        """``ADDR:PORT`` of the admin endpoints, empty if there are none."""
        return self._admin.address

    def follow(self, delivery: Callable[[], Delivery]) -> None:
        """Show how configs arrive, and follow their age; ``tell_age`` says that it has changed."""
        self._delivery = self._totals.delivery = delivery

    def tell_age(self) -> None:
        """Tell the workers how old the config is. Each counts on by itself, so that none depends on being told."""
        for worker in self._workers.values():
            worker.tell_age(self._age)

    async def start(self) -> None:
        """Start the workers and the admin endpoints. Raises ``BindError``."""
        if self._settings.admin:
            host, _, port = self._settings.admin.rpartition(":")
            try:
                await self._admin.start(host.strip("[]"), int(port))
            except OSError as error:
                msg = BindError.explain_admin(error, address=self._settings.admin)
                raise BindError(msg) from error
        for number in range(self._count):
            await self._start_worker(number)
        spawn(self._watch_silence(), name="watch for stuck workers")

    async def apply(self, bundle: Bundle) -> Applied:
        """Put a config in force on every worker. Raises ``ConfigRefused``."""
        async with self._applying:
            try:
                decoded = self._decode(bundle)
            except (WireError, KeyError) as error:
                msg = f"The config {bundle.revision[:12]} cannot be read: {error}"
                raise ConfigRefused(msg) from error
            problems = list(decoded.closed)
            problems += self._open(decoded)
            within = self._settings.timeouts.worker
            try:
                problems += await roll_out(bundle, self._workers, within=within)
            except ConfigRefused:
                self._ports.close_others(_ports_of(self._decoded))
                self._open(self._decoded)
                raise
            self._bundle, self._decoded = bundle, decoded
            problems += await catch_up(bundle, self._workers, within=within)
            self._ports.close_others(_ports_of(decoded))
            self._totals.serve(decoded.config)
            self._totals.revision = bundle.revision
            self._totals.applied_at = time.time()
            self._totals.closed_routes = len(decoded.closed)
            self._totals.refused_keys = max((worker.refused_keys for worker in self._workers.values()), default=0)
            asked = {listener.name: listener.port for listener in decoded.config.listeners}
            return Applied(bundle.revision, asked, self._listeners(), tuple(dict.fromkeys(problems)))

    async def stop(self, *, patient: bool = False) -> None:
        """Let the workers finish what is in flight, for at most ``timeouts.drain``, and end.

        ``patient``: go on accepting for ``timeouts.shutdown_delay`` first, because load balancers send callers until
        they have noticed that ``/readyz`` fails. Until the drain, configs go on being applied and workers replaced.
        Stopping twice is stopping once, and without patience as soon as one of the two has none.
        """
        if patient and not self._stopping:
            self._stopping = True
            for worker in self._workers.values():
                worker.announce_end()
            await asyncio.sleep(self._settings.timeouts.shutdown_delay)
        if self._draining:
            return
        self._stopping = self._draining = True
        # Our copies first: the queue of a socket that a worker has emptied and closed must not be filled on.
        self._ports.close()
        deadline = self._settings.timeouts.drain + _STOP_MARGIN
        await asyncio.gather(*(worker.stop(within=deadline) for worker in self._workers.values()))
        for worker in self._workers.values():
            worker.hang_up()
        await self._admin.stop()

    def _decode(self, bundle: Bundle) -> Decoded:
        """Read the routes, unless they are the same as last time: most changes are of keys."""
        unknown = unknown_groups(bundle.groups)
        source = (bundle.schema, bundle.hashes[ROUTES], unknown)
        if self._read is None or self._read[0] != source:
            self._read = source, self._decoder.decode(bundle.groups[ROUTES], unknown_groups=unknown)
        return self._read[1]

    # Workers.

    async def _start_worker(self, number: int) -> None:
        worker = WorkerProcess(number, on_metrics=self._totals.add, on_problem=self._troubles.complain)
        await worker.start(self._settings)
        if self._draining:
            worker.hang_up()
            return
        self._workers[number] = worker
        for bound in self._ports.bound.values():
            _listen(worker, number, bound=bound)
        worker.tell_age(self._age)
        if self._stopping:
            worker.announce_end()
        if self._bundle is not None:
            await worker.hand_over(self._bundle, within=self._settings.timeouts.worker)
        spawn(self._replace_when_gone(number, worker), name=f"watch worker {number}")

    async def _replace_when_gone(self, number: int, worker: WorkerProcess) -> None:
        await worker.gone()
        self._totals.gauges.pop(number, None)
        if self._draining:
            return
        self._troubles.ended(number, worker)
        self._totals.worker_restarts += 1
        self._stand_ins.begin(number)
        started = False
        while not started:
            await asyncio.sleep(self._troubles.delay(number))
            if self._draining:
                return
            started = await self._try_to_start(number)

    async def _try_to_start(self, number: int) -> bool:
        try:
            await self._start_worker(number)
        except OSError as error:
            self._troubles.cannot_start(number, error)
            return False
        return True

    async def _watch_silence(self) -> None:
        while not self._draining:
            await asyncio.sleep(_WATCH_EVERY)
            self._open_again()
            for number, worker in self._workers.items():
                if worker.is_alive:
                    self._look_at(number, worker, now=time.monotonic())
                else:
                    self._stand_ins.begin(number)

    def _look_at(self, number: int, worker: WorkerProcess, *, now: float) -> None:
        silence = now - worker.last_word
        if silence > self._settings.timeouts.worker:
            self._announce(f"Worker {number} has said nothing for {silence:.0f} s and is ended.")
            worker.kill()
        elif silence > _SUSPICION:
            self._stand_ins.begin(number)
        elif worker.serves:
            self._stand_ins.end(number)
            self._troubles.serves(number, worker, now=now)

    # Sockets.

    def _open(self, decoded: Decoded | None) -> list[str]:
        """Bind the ports of a config, unless the end has begun; return problems."""
        return [] if self._stopping else self._ports.open(_ports_of(decoded))

    def _open_again(self) -> None:
        if not (self._stopping or self._applying.locked()):
            for port in self._ports.open_again():
                self._announce(f"Port {port} could be bound now, and is served.")

    def _hand_out(self, bound: BoundPort) -> None:
        """Give the sockets of a new port to the workers."""
        for number, worker in self._workers.items():
            _listen(worker, number, bound=bound)
        self._stand_ins.take_over(bound)

    def _listeners(self) -> tuple[BoundListener, ...]:
        if self._decoded is None:
            return ()
        return tuple(
            BoundListener(
                listener.name, listener.port, self._ports.bound[listener.port].address, listener.tls is not None
            )
            for listener in self._decoded.config.listeners
            if listener.port in self._ports.bound
        )

    # Admin pages.

    def _state(self) -> ProxyState:
        return ProxyState(
            bundle=self._bundle,
            config=None if self._decoded is None else self._decoded.config,
            workers=[worker for _, worker in sorted(self._workers.items())],
            troubles=self._troubles.told(),
            unserved=self._unserved(),
            delivery=None if self._delivery is None else self._delivery(),
            stopping=self._stopping,
        )

    def _unserved(self) -> dict[str, str]:
        """Return the listeners whose port is not bound, each with the reason."""
        listeners = () if self._decoded is None else self._decoded.config.listeners
        unbound = self._ports.unbound
        return {one.name: unbound[one.port] for one in listeners if one.port in unbound}

    @property
    def _age(self) -> float:
        return math.inf if self._delivery is None else self._delivery().age


def _ports_of(decoded: Decoded | None) -> set[int]:
    return set() if decoded is None else {listener.port for listener in decoded.config.listeners}


def _listen(worker: WorkerProcess, number: int, *, bound: BoundPort) -> None:
    """Hand a worker its own sockets of a port."""
    for sock in bound.sockets[number]:
        worker.listen(bound.port, sock)
