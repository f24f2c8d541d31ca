"""Everything the operator watches, as one thing: our kinds through kopf and the resync, Secrets through reflectors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from wardgate.control.settings import OperatorSettings
from wardgate.kube.client import KubeClient
from wardgate.kube.handlers import Handlers
from wardgate.kube.pacing import Timing
from wardgate.kube.resync import Resync
from wardgate.kube.secrets_watch import SecretsScope, SecretsWatch
from wardgate.kube.sink import StoreSink
from wardgate.problems import ObjectRef
from wardgate.store import Store

STALE: Final = 120.0
"""Seconds after which a source counts as stale: the resync lists every minute, bookmarks come every minute."""


class Watches:
    """``on_change``: there may be something new. ``on_rollback``: history was set back."""

    def __init__(
        self,
        client: KubeClient,
        settings: OperatorSettings,
        store: Store,
        *,
        on_change: Callable[[], None],
        on_rollback: Callable[[], None],
        timing: Timing,
    ) -> None:
        sink = StoreSink(store, on_change=on_change, on_rollback=on_rollback)
        scope = SecretsScope(frozenset(settings.key_namespaces), settings.opaque_key_selector)
        self._clock = timing.clock
        self._secrets = SecretsWatch(client, scope, sink=sink, timing=timing)
        self._resync = Resync(
            client,
            sink=sink,
            timing=timing,
            namespaces=settings.watch_namespaces,
            on_watchable=self._restart_kopf,
        )
        self._handlers = Handlers(
            client,
            sink=sink,
            timing=timing,
            watchable=lambda: self._resync.watchable,
            on_relist=self._resync.hurry,
            namespaces=settings.watch_namespaces,
        )

    def _restart_kopf(self) -> None:
        self._handlers.restart()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._resync.run(), name="resync")
            group.create_task(self._handlers.run(), name="kopf")
            group.create_task(self._secrets.run(), name="watches of Secrets")

    def missing(self) -> tuple[str, ...]:
        """What was not listed yet, a sentence each."""
        return (*self._resync.missing(), *self._secrets.missing())

    def is_live(self) -> bool:
        """Whether everything is known to be as it is held."""
        return self._secrets.is_live and not self.problems and not self.missing() and not self.stale()

    @property
    def problems(self) -> tuple[str, ...]:
        """What keeps something from being watched, a sentence each."""
        return (*self._resync.problems, *(one.problem for one in self._secrets.reflectors if one.problem))

    def ages(self) -> Mapping[str, float]:
        """Seconds since each kind was last heard of; kinds that were never listed are left out."""
        now = self._clock()
        ages = {kind: now - at for kind, at in self._resync.last_resync.items() if at is not None}
        heard = [one.last_word_at for one in self._secrets.reflectors]
        if heard and all(at is not None for at in heard):
            ages["Secret"] = now - min(at for at in heard if at is not None)
        return ages

    def stale(self) -> tuple[str, ...]:
        """Kinds of which nothing was heard for too long."""
        return tuple(kind for kind, age in self.ages().items() if age > STALE)

    def follow_named(self, named: Iterable[ObjectRef]) -> None:
        """Watch these Secrets by name."""
        self._secrets.follow(named)

    async def list_again(self) -> None:
        """List everything once more, consistently. Raises ``KubeError``."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._resync.list_again(), name="list every kind again")
            group.create_task(self._secrets.list_again(), name="list Secrets again")
