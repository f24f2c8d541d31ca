"""Everything the operator watches, as its settings say, and whether that is fresh enough to be called healthy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from wardgate.control.settings import OperatorSettings
from wardgate.kube.client import KubeClient
from wardgate.kube.cluster_watch import ClusterWatch, WatchScope
from wardgate.kube.pacing import Timing
from wardgate.kube.secrets_watch import SecretsScope
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
        scope = WatchScope(
            watch_namespaces=frozenset(settings.watch_namespaces),
            secrets=SecretsScope(frozenset(settings.key_namespaces), settings.opaque_key_selector),
            silence=settings.watch_silence,
        )
        self._cluster = ClusterWatch(client, store, scope, timing=timing, on_change=on_change, on_rollback=on_rollback)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._cluster.run()

    def missing(self) -> tuple[str, ...]:
        """What was not listed yet, a sentence each."""
        return self._cluster.missing()

    def is_live(self) -> bool:
        """Whether everything is known to be as it is held. A kind that is absent is known to be so."""
        return self._cluster.is_live() and not self.missing()

    def ages(self) -> Mapping[str, float]:
        """Seconds since each kind was last heard of; kinds that were never listed are left out."""
        return {kind: age for kind, age in self._cluster.ages().items() if age is not None}

    def stale(self) -> tuple[str, ...]:
        """Kinds of which nothing was heard for too long."""
        return tuple(kind for kind, age in self.ages().items() if age > STALE)

    def follow_named(self, named: Iterable[ObjectRef]) -> None:
        """Watch these Secrets by name."""
        self._cluster.follow_named(named)

    async def list_again(self) -> None:
        """List everything once more, consistently. Raises ``KubeError``."""
        await self._cluster.list_again()
