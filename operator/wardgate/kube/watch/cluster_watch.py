"""Everything the operator reads, put together: the resync, kopf's events and the watches of Secrets, into one store.

They depend on each other in three places, which are here: kopf watches the kinds that can be listed; what kopf lists
anew is listed by the resync too, because kopf does not tell what disappeared; and when any list shows that history was
rolled back, kopf begins anew and everything is listed again at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from wardgate.api import KINDS
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import SILENCE, Timing
from wardgate.kube.api.resources import SECRETS
from wardgate.kube.watch.kind_lister import PERIOD
from wardgate.kube.watch.kind_resources import READ_KINDS
from wardgate.kube.watch.kopf_events import KopfEvents
from wardgate.kube.watch.objects import SeenStatus, ignore_status
from wardgate.kube.watch.resync import Resync
from wardgate.kube.watch.secrets_watch import SecretsScope, SecretsWatch
from wardgate.kube.watch.sink import StoreSink
from wardgate.problems import ObjectRef
from wardgate.store import Store
from wardgate.tasks import spawn

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchScope:
    """``watch_namespaces`` empty: kinds everywhere. ``guards``: foreign kinds that close routes, too.

    ``silence`` and ``period`` are in seconds.
    """

    watch_namespaces: frozenset[str] = frozenset()
    secrets: SecretsScope = field(default_factory=SecretsScope)
    silence: float = SILENCE
    period: float = PERIOD
    guards: bool = True


class ClusterWatch:
    """``on_change``: there may be something to translate. ``on_rollback``: versions that anybody remembers are void.

    ``on_status`` gets the status of every object of our kinds whenever it is listed or has changed.
    """

    def __init__(
        self,
        client: KubeClient,
        store: Store,
        *,
        scope: WatchScope,
        timing: Timing,
        on_change: Callable[[], None],
        on_rollback: Callable[[], None],
        on_status: Callable[[SeenStatus], None] = ignore_status,
    ) -> None:
        self._timing = timing
        self._on_rollback = on_rollback
        self._listing: asyncio.Task[None] | None = None
        sink = StoreSink(store, on_change=on_change, on_rollback=self._rolled_back)
        self.resync = Resync(
            client,
            sink=sink,
            timing=timing,
            namespaces=scope.watch_namespaces,
            kinds=READ_KINDS if scope.guards else KINDS,
            period=scope.period,
            on_watchable=self._kinds_changed,
            on_status=on_status,
        )
        self.kopf_events = KopfEvents(
            client,
            sink=sink,
            timing=timing,
            watchable=lambda: self.resync.watchable,
            on_relist=self.resync.hurry,
            on_status=on_status,
            namespaces=scope.watch_namespaces,
            silence=scope.silence,
        )
        self.secrets = SecretsWatch(
            client, scope.secrets, sink=sink, timing=timing, silence=scope.silence, on_refusal=on_change
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.resync.run(), name="resync")
            group.create_task(self.kopf_events.run(), name="kopf events")
            group.create_task(self.secrets.run(), name="secrets")

    def missing(self) -> tuple[str, ...]:
        """A sentence for every list that is still to come; empty once the store is complete."""
        return (*self.resync.missing(), *self.secrets.missing())

    def refused_secrets(self) -> frozenset[str]:
        """Secrets that objects name, ``NAMESPACE/NAME``, and that the API server does not let us read."""
        return self.secrets.refused

    def problems(self) -> tuple[str, ...]:
        """The reasons why the store is not in step, a sentence each."""
        return (*self.resync.problems, *self.secrets.problems)

    def is_live(self) -> bool:
        """Whether nothing can have escaped us: every watch of Secrets is open, every kind was listed in time."""
        return self.secrets.is_live and self.resync.is_in_time and not self.missing()

    def ages(self) -> Mapping[str, float]:
        """Seconds since the last word about each kind; kinds that were never listed are left out."""
        times = {**self.resync.last_resync, SECRETS.kind: self.secrets.last_word_at}
        now = self._timing.clock()
        return {kind: now - time for kind, time in times.items() if time is not None}

    def follow_named(self, named: Iterable[ObjectRef]) -> None:
        """Watch these Secrets besides the key Secrets, and no others."""
        self.secrets.follow(named)

    async def list_again(self) -> None:
        """List everything once more, consistently. Raises ``KubeError`` where that could not be found out."""
        await asyncio.gather(self.resync.list_again(), self.secrets.list_again())

    def _kinds_changed(self) -> None:
        self.kopf_events.look_again()

    def _rolled_back(self) -> None:
        self._on_rollback()
        self.kopf_events.begin_anew()
        if self._listing is None or self._listing.done():
            self._listing = spawn(self._list_all_again(), name="lists after a roll-back")

    async def _list_all_again(self) -> None:
        try:
            await self.list_again()
        except KubeError as error:
            _log.info("Not everything could be listed after a roll-back (%s); the regular lists will do it.", error)
