"""The operator, put together: watches into the store, rounds out of it, and beside them what keeps the output alive.

Every part runs as a task of one loop; what ends is ended in order: first the rounds, then the Lease is set free so that
another replica leads at once, then the watches. A part that fails unforeseen ends the process, and the kubelet starts a
new one: running proxies need neither.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from wardgate.admin import AdminServer
from wardgate.control.deferred_work import DeferredWork
from wardgate.control.metrics import Metrics
from wardgate.control.probes import operator_pages
from wardgate.control.reconciler import Outputs, Reconciler
from wardgate.control.release_scope import ReleaseScope
from wardgate.control.settings import OperatorSettings
from wardgate.control.trigger import Trigger
from wardgate.ir import GatewayConfig
from wardgate.kube.api.api_server import api_server_addresses
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.lease import Lease
from wardgate.kube.publish.damage_watch import DamageWatch
from wardgate.kube.publish.publisher import Publisher
from wardgate.kube.publish.sweep import Sweeper
from wardgate.kube.status.board import StatusBoard
from wardgate.kube.status.events import EventRecorder
from wardgate.kube.status.manifest import Desired
from wardgate.kube.status.proxies import DiscoveredProxies, FixedProxies, Proxies
from wardgate.kube.status.proxy_views import major_to_write, refused
from wardgate.kube.status.writer import StatusWriter
from wardgate.kube.watch.cluster_watch import ClusterWatch, WatchScope
from wardgate.kube.watch.objects import SeenStatus
from wardgate.kube.watch.secrets_watch import SecretsScope
from wardgate.renderer import Renderer
from wardgate.store import Store
from wardgate.tasks import spawn
from wardgate.translate.statuses.object_status import Statuses
from wardgate.wire.schema import WRITTEN, major_of

_log = logging.getLogger(__name__)
_Part: TypeAlias = Callable[[], Coroutine[object, object, None]]

RENEW: Final = 15.0
"""Seconds between two renewals of ``verifiedAt``."""
SWEEP: Final = 5.0
ADDRESSES: Final = 60.0
"""Seconds between two looks at where the API server is."""
_AGAIN: Final = 1.0
_SCHEMAS: Final = {major_of(schema): schema for schema in WRITTEN}


class Operator:
    """One replica. ``stop`` is called by leaving ``run``."""

    def __init__(self, settings: OperatorSettings, client: KubeClient, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._client = client
        self._timing = timing or Timing()
        self._takes_part = False
        self._store = Store()
        self._trigger = Trigger(clock=self._timing.clock)
        self._renderer = Renderer(settings.translation)
        self._release_scope = ReleaseScope(settings.gateways)
        self._watches = ClusterWatch(
            client,
            self._store,
            scope=_watch_scope(settings),
            timing=self._timing,
            on_change=self._trigger.mark,
            on_rollback=self._history_was_rolled_back,
            on_status=self._status_seen,
        )
        self._metrics = Metrics(
            watch_ages=self._watches.ages, objects=self._store.counts, api_errors=lambda: client.errors
        )
        self._publisher = Publisher(
            client,
            release=settings.release,
            namespace=settings.config_namespace,
            writer=settings.identity,
            now=self._timing.now,
        )
        self._damage_watch = DamageWatch(
            self._publisher, wake=self._trigger.mark, trouble=_tell_trouble, timing=self._timing
        )
        self._sweeper = Sweeper(self._publisher, clock=self._timing.clock)
        self._events = EventRecorder(client, instance=settings.identity, now=_now, clock=self._timing.clock)
        self._statuses = StatusWriter(
            client, now=_now, clock=self._timing.clock, enabled=settings.write_status, written=self._status_written
        )
        self._proxies = Proxies(self._proxy_source(), changed=self._proxies_changed, clock=self._timing.clock)
        self._board = StatusBoard(writer=self._statuses, proxies=self._proxies, clock=self._timing.clock)
        self._deferred_work = DeferredWork(
            state=StateStore(client, release=settings.release, namespace=settings.namespace, writer=settings.identity),
            report=self._report,
            metrics=self._metrics,
            deposed=self._deposed,
            timing=self._timing,
        )
        self._reconciler = Reconciler(
            store=self._store,
            renderer=self._renderer,
            release_scope=self._release_scope,
            trigger=self._trigger,
            cluster=self._watches,
            outputs=Outputs(self._publisher, self._deferred_work, self._schema),
            metrics=self._metrics,
            clock=self._timing.clock,
        )
        self._lease = Lease(
            client,
            namespace=settings.namespace,
            name=f"{settings.release}-operator",
            identity=settings.identity,
            timing=self._timing,
        )
        self._admin = AdminServer(pages=operator_pages(self._watches, self._metrics), local=frozenset())

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set. Raises ``OSError`` where the admin endpoints cannot be opened."""
        if self._settings.admin:
            host, _, port = self._settings.admin.rpartition(":")
            await self._admin.start(host.strip("[]"), int(port))
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work(), name=name) for name, work in self._parts().items()]
                await stopping.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self._lease.release()
            await self._admin.stop()

    def _parts(self) -> Mapping[str, _Part]:
        parts: dict[str, _Part] = {
            "watches": self._watches.run,
            "rounds": self._reconciler.run,
            "accounts": self._deferred_work.run,
            "lease": self._take_part,
            "renewals": self._renew_for_ever,
            "sweeps": self._sweep_for_ever,
            "addresses": self._follow_addresses,
            "proxies": self._proxies.run,
        }
        if self._settings.write_status:
            parts |= {"board": self._board.run, "statuses": self._statuses.run, "events": self._events.run}
        return parts

    # Leading.

    async def _take_part(self) -> None:
        await self._lease.run(self._lead, self._reconciler_follows)

    async def _lead(self) -> None:
        """Take over, then guard what is in force; where a write shows that another replica wrote, take over again."""
        while True:
            self._statuses.forget()
            self._takes_part = True
            await self._reconciler.lead()
            deposed = spawn(self._reconciler.deposed.wait(), name="wait until deposed")
            guarding = spawn(self._guard_quietly(), name="guard of the config namespace")
            try:
                await asyncio.wait([deposed, guarding], return_when=asyncio.FIRST_COMPLETED)
            finally:
                deposed.cancel()
                guarding.cancel()
            self._reconciler_follows()

    async def _guard_quietly(self) -> None:
        try:
            await self._damage_watch.follow()
        except Deposed as error:
            _log.warning("%s This replica holds the Lease and takes over again.", error)

    def _deposed(self, error: Deposed) -> None:
        self._reconciler.depose(error)

    def _reconciler_follows(self) -> None:
        self._takes_part = False
        self._reconciler.follow()
        self._board.stop()

    async def _renew_for_ever(self) -> None:
        while True:
            await self._timing.sleep(RENEW)
            if self._reconciler.is_leading and self._watches.is_live():
                await _attempt(self._renew, "verifiedAt could not be renewed")

    async def _renew(self) -> None:
        if not await self._publisher.renew():
            self._trigger.mark()

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._timing.sleep(SWEEP)
            if self._reconciler.is_leading:
                await _attempt(self._sweeper.sweep, "Old shards could not be deleted")

    # Where the API server is.

    async def _follow_addresses(self) -> None:
        while True:
            try:
                found = await api_server_addresses(self._client, os.environ)
            except KubeError as error:
                _log.debug("The API server's own addresses could not be read: %s", error)
                await self._timing.sleep(_AGAIN)
                continue
            self._deny(found)
            await self._timing.sleep(ADDRESSES)

    def _deny(self, addresses: tuple[str, ...]) -> None:
        given = self._settings.translation
        denied = tuple(dict.fromkeys((*given.denied_addresses, *addresses)))
        if denied != self._renderer.settings.denied_addresses:
            self._renderer.settings = replace(given, denied_addresses=denied)
            self._trigger.mark()

    # Statuses and proxies.

    def _report(self, statuses: Statuses, config: GatewayConfig, sequence: int) -> None:
        if self._settings.write_status:
            self._board.take(self._release_scope.reported(statuses), config, sequence=sequence)

    def _status_seen(self, seen: SeenStatus) -> None:
        """Only a leader, or who becomes one and lists everything for that, minds what others write."""
        if self._takes_part:
            self._statuses.seen(seen.ref, seen.status, uid=seen.uid, version=seen.version)

    def _status_written(self, desired: Desired, before: Mapping[str, Any] | None) -> None:
        self._events.tell(before, desired.verdict)

    def _proxy_source(self) -> DiscoveredProxies | FixedProxies:
        if self._settings.proxy_admins:
            return FixedProxies(self._settings.proxy_admins)
        return DiscoveredProxies(
            self._client,
            namespace=self._settings.namespace,
            service=self._settings.proxy_service,
            timing=self._timing,
        )

    def _schema(self) -> str:
        """The newest schema that every proxy reads; while none is known, the one that is published."""
        index = self._publisher.index
        published = None if index is None else major_of(index.schema)
        views = self._proxies.views
        if not views and published in _SCHEMAS:
            return _SCHEMAS[published]
        return _SCHEMAS[major_to_write(views, writable=_SCHEMAS, published=published)]

    def _proxies_changed(self) -> None:
        self._board.mark()
        if self._reconciler.is_leading and self._schema() != self._renderer.schema:
            self._trigger.mark()
        views = self._proxies.views
        if refused(views) is not None and self._publisher.seen_sequence(max(view.sequence for view in views)):
            self._trigger.mark()

    def _history_was_rolled_back(self) -> None:
        self._reconciler.history_was_rolled_back()
        self._statuses.forget()


async def operate(settings: OperatorSettings, client: KubeClient, *, stopping: asyncio.Event) -> None:
    """Run one replica until ``stopping`` is set."""
    await Operator(settings, client).run(stopping)


def _watch_scope(settings: OperatorSettings) -> WatchScope:
    return WatchScope(
        watch_namespaces=frozenset(settings.watch_namespaces),
        guards=settings.translation.foreign_guards == "close",
        secrets=SecretsScope(frozenset(settings.key_namespaces), settings.opaque_key_selector),
        silence=settings.watch_silence,
    )


async def _attempt(work: Callable[[], Awaitable[object]], what: str) -> None:
    """Something that is done again soon anyway."""
    with suppress(Deposed):
        try:
            await work()
        except Deposed:
            raise
        except KubeError as error:
            _log.warning("%s: %s", what, error)


def _tell_trouble(error: KubeError) -> None:
    _log.warning("What is published cannot be watched: %s", error)


def _now() -> datetime:
    return datetime.now(UTC)
