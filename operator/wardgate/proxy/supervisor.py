"""The parent of the workers: it holds the sockets, hands out configs and replaces who dies.

It carries no request. A worker that dies, or says nothing for too long, is replaced by one that inherits its listening
sockets, with the config that is in force; until then the others serve what is queued there. A config is in force
on a worker when that worker says so; ``apply`` returns once all of them have.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from wardgate.admin import AdminServer, Page, json_page
from wardgate.proxy.cpus import available_cpus
from wardgate.proxy.metrics import Totals
from wardgate.proxy.redacted import redacted
from wardgate.proxy.request_totals import RequestTotals
from wardgate.proxy.rollout import ConfigRefused, catch_up, roll_out
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError, BoundPort, bind
from wardgate.proxy.stand_ins import StandIns
from wardgate.proxy.worker_process import WorkerProcess
from wardgate.tasks import spawn
from wardgate.wire.bundle import ROUTES, Bundle
from wardgate.wire.decode import Decoded, RoutesDecoder, unknown_groups
from wardgate.wire.delivery import Delivery
from wardgate.wire.errors import WireError
from wardgate.wire.schema import READ_MAJORS

_BACKOFF = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
_STOP_MARGIN = 2.0
_WATCH_EVERY = 0.25
_SUSPICION = 1.5
"""Seconds. Workers report each second; the sockets of one that does not are served by the others, too."""
_STEADY = 10.0
"""Seconds after which the end of a worker is no failed start."""
_BIND_EVERY = 1.0
"""Seconds between two attempts to bind what could not be bound."""
_SAME_COMPLAINT = 50.0
"""Seconds. Workers repeat a complaint after a minute; what another one says meanwhile is the same."""


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
        self._failures: dict[int, int] = {}
        self._troubles: dict[int, str] = {}
        """How workers ended, or why they cannot be started, until a successor serves."""
        self._ports: dict[int, BoundPort] = {}
        self._stand_ins = StandIns(workers=self._workers, ports=self._ports)
        self._bind_again_at = 0.0
        self._unbound: dict[int, str] = {}
        """Why ports of the config in force are not bound."""
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
        self._admin = AdminServer(pages=self._pages(), local=frozenset({"/config"}))
        self._complained: dict[str, float] = {}
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
            problems += self._bind_missing({listener.port for listener in decoded.config.listeners})
            within = self._settings.timeouts.worker
            try:
                problems += await roll_out(bundle, self._workers, within=within)
            except ConfigRefused:
                self._keep_ports()
                raise
            self._bundle, self._decoded = bundle, decoded
            problems += await catch_up(bundle, self._workers, within=within)
            self._close_unused({listener.port for listener in decoded.config.listeners})
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
        for bound in self._ports.values():
            bound.close()
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
        worker = WorkerProcess(number, on_metrics=self._totals.add, on_problem=self._problem)
        await worker.start(self._settings)
        if self._draining:
            worker.hang_up()
            return
        self._workers[number] = worker
        for bound in self._ports.values():
            for sock in bound.sockets[number]:
                worker.listen(bound.port, sock)
        worker.tell_age(self._age)
        if self._stopping:
            worker.announce_end()
        if self._bundle is not None:
            await worker.hand_over(self._bundle, within=self._settings.timeouts.worker)
        spawn(self._replace_when_gone(number, worker), name=f"watch worker {number}")

    def _problem(self, text: str) -> None:
        """Announce what a worker complains of; the others' complaint about the same follows within moments."""
        now = time.monotonic()
        if now - self._complained.get(text, -_SAME_COMPLAINT) >= _SAME_COMPLAINT:
            self._complained = {known: at for known, at in self._complained.items() if now - at < _SAME_COMPLAINT}
            self._complained[text] = now
            self._announce(text)

    async def _replace_when_gone(self, number: int, worker: WorkerProcess) -> None:
        await worker.gone()
        self._totals.gauges.pop(number, None)
        if self._draining:
            return
        self._troubles[number] = f"{worker.obituary}."
        self._announce(f"{worker.obituary}; a new one takes its place.")
        self._totals.worker_restarts += 1
        self._stand_ins.begin(number)
        started = False
        while not started:
            failures = self._failures[number] = self._failures.get(number, 0) + 1
            await asyncio.sleep(_BACKOFF[min(failures - 1, len(_BACKOFF) - 1)])
            if self._draining:
                return
            started = await self._try_to_start(number)

    async def _try_to_start(self, number: int) -> bool:
        try:
            await self._start_worker(number)
        except OSError as error:
            # There is no memory for a process, or one more is not allowed. That may pass.
            self._troubles[number] = f"Worker {number} cannot be started, and is tried again: {error.strerror}."
            self._problem(self._troubles[number])
            return False
        return True

    async def _watch_silence(self) -> None:
        while not self._draining:
            await asyncio.sleep(_WATCH_EVERY)
            if time.monotonic() >= self._bind_again_at:
                self._bind_again()
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
            self._troubles.pop(number, None)
            if now - worker.started_at > _STEADY:
                # Its end is a new trouble, and not the last one's next attempt.
                self._failures.pop(number, None)

    # Sockets.

    def _bind_missing(self, wanted: set[int]) -> list[str]:
        mapped = dict(self._settings.ports)
        problems: list[str] = []
        if self._stopping:
            return problems
        self._unbound.clear()
        for port in sorted(wanted - self._ports.keys()):
            try:
                bound = bind(
                    hosts=self._settings.bind, port=mapped.get(port, port), listener_port=port, count=self._count
                )
            except BindError as error:
                problems.append(str(error))
                self._unbound[port] = str(error)
                continue
            self._ports[port] = bound
            for number, worker in self._workers.items():
                for sock in bound.sockets[number]:
                    worker.listen(port, sock)
            self._stand_ins.take_over(bound)
        return problems

    def _bind_again(self) -> None:
        """Try ports that could not be bound once more: who had them may have ended."""
        self._bind_again_at = time.monotonic() + _BIND_EVERY
        if self._unbound and not self._applying.locked():
            wanted = set(self._unbound)
            self._bind_missing(wanted)
            for port in sorted(wanted - self._unbound.keys()):
                self._announce(f"Port {port} could be bound now, and is served.")

    def _keep_ports(self) -> None:
        """Return to the ports of the config in force."""
        wanted = set() if self._decoded is None else {listener.port for listener in self._decoded.config.listeners}
        self._close_unused(wanted)
        self._bind_missing(wanted)

    def _close_unused(self, wanted: set[int]) -> None:
        for port in self._ports.keys() - wanted:
            self._ports.pop(port).close()

    def _listeners(self) -> tuple[BoundListener, ...]:
        if self._decoded is None:
            return ()
        return tuple(
            BoundListener(listener.name, listener.port, self._ports[listener.port].address, listener.tls is not None)
            for listener in self._decoded.config.listeners
            if listener.port in self._ports
        )

    # Admin pages.

    def _pages(self) -> Mapping[str, Callable[[], Page]]:
        return {
            "/healthz": lambda: Page(200, b"ok\n"),
            "/readyz": self._ready,
            "/metrics": lambda: Page(200, generate_latest(self._registry), CONTENT_TYPE_LATEST),
            "/revision": self._revision,
            "/config": lambda: json_page(redacted(self._decoded.config if self._decoded else None)),
        }

    def _ready(self) -> Page:
        if self._stopping:
            return Page(503, b"stopping\n")
        if not any(worker.serves for worker in self._workers.values()):
            why = " ".join(("no config yet" if self._bundle is None else "no worker serves", *self._worker_troubles()))
            return Page(503, why.encode() + b"\n")
        if 0 < self._settings.max_config_age < self._age:
            return Page(503, b"config too old\n")
        return Page(200, b"ready\n")

    def _revision(self) -> Page:
        bundle = self._bundle
        return json_page(
            {
                "revision": bundle.revision if bundle else "",
                "schema": bundle.schema if bundle else "",
                "reads": list(READ_MAJORS),
                "workers": [worker.served_revision for _, worker in sorted(self._workers.items())],
                "worker_troubles": self._worker_troubles(),
                "unserved": self._unserved(),
                **({} if self._delivery is None else _shown(self._delivery())),
            }
        )

    def _worker_troubles(self) -> list[str]:
        return [trouble for _, trouble in sorted(self._troubles.items())]

    def _unserved(self) -> dict[str, str]:
        """Return the listeners whose port is not bound, each with the reason."""
        listeners = () if self._decoded is None else self._decoded.config.listeners
        return {one.name: self._unbound[one.port] for one in listeners if one.port in self._unbound}

    @property
    def _age(self) -> float:
        return math.inf if self._delivery is None else self._delivery().age


def _shown(now: Delivery) -> dict[str, object]:
    return {
        "sequence": now.sequence,
        "refused_sequence": now.refused_sequence,
        "age_seconds": round(now.age, 3) if now.age < math.inf else None,
        "connected": now.connected,
        "verified_at": now.verified_at,
        "problem": now.problem,
    }
