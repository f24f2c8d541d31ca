"""The operator, put together: watches into the store, rounds out of it, and beside them what keeps the output alive.

Every part runs as a task of one loop. The work of followers runs for as long as the process; what only a leader does
lives in a term (``leadership``). The end has an order: first the term, so that nothing is written any more, then the
Lease is set free so that another replica leads at once, then the watches and all else. A part that fails unforeseen
ends the process, and the kubelet starts a new one: running proxies need neither.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from wardgate.admin import AdminServer
from wardgate.control.deferred_work import DeferredWork
from wardgate.control.leadership import Duties, Leadership
from wardgate.control.metrics import Metrics
from wardgate.control.probes import operator_pages
from wardgate.control.reconciler import Outputs, Reconciler
from wardgate.control.release_scope import ReleaseScope
from wardgate.control.settings import OperatorSettings
from wardgate.control.trigger import Trigger
from wardgate.control.upkeep import Upkeep
from wardgate.control.whereabouts import Whereabouts
from wardgate.ir import GatewayConfig
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.owner import own_account
from wardgate.kube.api.pacing import Timing
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.lease import Lease
from wardgate.kube.lead.term import Part, Term
from wardgate.kube.publish.damage_watch import DamageWatch
from wardgate.kube.publish.publisher import Publisher
from wardgate.kube.status.board import StatusBoard
from wardgate.kube.status.event_recorder import EventRecorder
from wardgate.kube.status.key_events import KeyEvents
from wardgate.kube.status.manifest import Desired
from wardgate.kube.status.proxies import DiscoveredProxies, FixedProxies, Proxies
from wardgate.kube.status.proxy_views import major_to_write, refused
from wardgate.kube.status.writer import StatusWriter
from wardgate.kube.watch.cluster_watch import ClusterWatch, WatchScope
from wardgate.kube.watch.objects import SeenStatus
from wardgate.kube.watch.secrets_watch import SecretsScope
from wardgate.renderer import Renderer
from wardgate.store import Store
from wardgate.translate.statuses.object_status import Statuses
from wardgate.translate.tenancy import Tenancy
from wardgate.wire.schema import WRITTEN, major_of

_log = logging.getLogger(__name__)

_SCHEMAS: Final = {major_of(schema): schema for schema in WRITTEN}


class Operator:
    """One replica. ``stop`` is called by leaving ``run``."""

    def __init__(self, settings: OperatorSettings, client: KubeClient, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._client = client
        self._timing = timing or Timing()
        self._store = Store()
        self._trigger = Trigger(clock=self._timing.clock)
        self._renderer = Renderer(settings.translation)
        self._whereabouts = Whereabouts(
            client, settings, renderer=self._renderer, trigger=self._trigger, timing=self._timing
        )
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
            watch_ages=self._watches.ages,
            objects=self._store.counts,
            api_errors=lambda: client.errors,
            leading=lambda: self._leadership.is_leading,
        )
        self._publisher = Publisher(
            client,
            release=settings.release,
            namespace=settings.config_namespace,
            now=self._timing.now,
            tenancy=Tenancy.of(settings.translation),
        )
        self._damage_watch = DamageWatch(
            self._publisher, wake=self._trigger.mark, trouble=_tell_trouble, timing=self._timing
        )
        self._upkeep = Upkeep(
            self._publisher, is_live=self._watches.is_live, wake=self._trigger.mark, timing=self._timing
        )
        self._events = EventRecorder(client, instance=settings.identity, now=_now, clock=self._timing.clock)
        self._statuses = StatusWriter(
            client, now=_now, clock=self._timing.clock, enabled=settings.write_status, written=self._status_written
        )
        self._proxies = Proxies(self._proxy_source(), changed=self._proxies_changed, clock=self._timing.clock)
        self._board: StatusBoard | None = None
        self._reconciler = Reconciler(
            store=self._store,
            renderer=self._renderer,
            release_scope=self._release_scope,
            trigger=self._trigger,
            cluster=self._watches,
            schema=self._schema,
            metrics=self._metrics,
            clock=self._timing.clock,
        )
        lease = Lease(
            client,
            namespace=settings.namespace,
            name=f"{settings.release}-operator",
            identity=settings.identity,
            timing=self._timing,
            owner=settings.owner,
        )
        self._leadership = Leadership(lease, identity=settings.identity, duties=self._duties, timing=self._timing)
        self._admin = AdminServer(pages=operator_pages(self._watches, self._metrics), local=frozenset())

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set. Raises ``OSError`` where the admin endpoints cannot be opened."""
        if self._settings.admin:
            host, _, port = self._settings.admin.rpartition(":")
            await self._admin.start(host.strip("[]"), int(port))
        try:
            async with asyncio.TaskGroup() as group:
                leading = group.create_task(self._leadership.run(), name="leadership")
                tasks = [group.create_task(work(), name=name) for name, work in self._parts().items()]
                await stopping.wait()
                leading.cancel()
                await asyncio.wait({leading})
                for task in tasks:
                    task.cancel()
        finally:
            await self._admin.stop()

    def _parts(self) -> Mapping[str, Part]:
        """Everything that runs whether this replica leads or not."""
        parts: dict[str, Part] = {
            "watches": self._watches.run,
            "rounds": self._reconciler.run,
            "whereabouts": self._whereabouts.follow,
            "proxies": self._proxies.run,
        }
        if self._settings.write_status:
            parts["events"] = self._events.run
        return parts

    # Leading.

    def _duties(self, term: Term) -> Duties:
        """Everything that lives in one term."""
        settings = self._settings
        # The writes of others are learnt again: the takeover lists every object with its status.
        self._statuses.forget()
        self._board = board = StatusBoard(writer=self._statuses, proxies=self._proxies, clock=self._timing.clock)
        deferred_work = DeferredWork(
            term,
            state=StateStore(
                self._client,
                release=settings.release,
                namespace=settings.namespace,
                term=term,
                owner=settings.owner,
            ),
            report=partial(self._report, board=board, key_events=self._key_events()),
            metrics=self._metrics,
            timing=self._timing,
        )
        parts: dict[str, Part] = {
            "deferred work": deferred_work.run,
            "damage watch": self._damage_watch.follow,
            "renewals": self._upkeep.renew_for_ever,
            "sweeps": self._upkeep.sweep_for_ever,
        }
        if settings.write_status:
            parts |= {"board": board.run, "statuses": self._statuses.run}
        outputs = Outputs(term, self._publisher, deferred_work)
        return Duties(partial(self._reconciler.take_over, outputs), parts)

    # Statuses and proxies.

    def _report(
        self, statuses: Statuses, config: GatewayConfig, *, sequence: int, board: StatusBoard, key_events: KeyEvents
    ) -> None:
        if self._settings.write_status:
            board.take(self._release_scope.reported(statuses), config, sequence=sequence)
            key_events.take(statuses.keys, exists=self._store.holds)

    def _key_events(self) -> KeyEvents:
        """The Events about Secrets of one term, where policies are watched too: elsewhere nobody granted Events."""
        return KeyEvents(self._events.add, namespaces=self._settings.translation.watch_namespaces)

    def _status_seen(self, seen: SeenStatus) -> None:
        """Mind what others write only as the leader, or while taking over, which lists everything."""
        if self._leadership.takes_part:
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
        if self._board is not None:
            self._board.mark()
        if self._leadership.is_leading and self._schema() != self._renderer.schema:
            self._trigger.mark()
        views = self._proxies.views
        if refused(views) is not None and self._publisher.seen_sequence(max(view.sequence for view in views)):
            self._trigger.mark()

    def _history_was_rolled_back(self) -> None:
        self._reconciler.history_was_rolled_back()
        self._statuses.forget()


async def operate(settings: OperatorSettings, client: KubeClient, *, stopping: asyncio.Event) -> None:
    """Run one replica until ``stopping`` is set."""
    owner = own_account(await client.access(), namespace=settings.namespace)
    await Operator(replace(settings, owner=owner), client).run(stopping)


def _watch_scope(settings: OperatorSettings) -> WatchScope:
    return WatchScope(
        watch_namespaces=settings.translation.watch_namespaces,
        guards=settings.translation.foreign_guards == "close",
        secrets=SecretsScope(settings.translation.key_namespaces, settings.opaque_key_selector),
        silence=settings.watch_silence,
    )


def _tell_trouble(error: KubeError) -> None:
    _log.warning("What is published cannot be watched: %s", error)


def _now() -> datetime:
    return datetime.now(UTC)
