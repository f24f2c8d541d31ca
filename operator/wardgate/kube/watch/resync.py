"""Every kind listed anew every minute, because a watch alone cannot be trusted.

kopf brings the events of our kinds, and after a lost watch it does not tell what disappeared meanwhile. So each kind is
listed in full, consistently, once a minute, and the list replaces what is held: whatever a watch missed, or held back
while it was frozen, counts a minute later. The first lists, all at once, are also how everything starts.

The answers about a kind decide whether kopf can watch it (``watchable``): a kind that has no CRD is empty,
one that we may not list stays as it was last seen, and both are asked for again; ``on_watchable`` is called when such
an answer changes. Foreign kinds (``ForeignLister``) hold nothing up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from wardgate.api import KINDS
from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.pacing import Timing
from wardgate.kube.watch.foreign_lister import ForeignLister
from wardgate.kube.watch.kind_lister import PERIOD, KindLister
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.kube.watch.listing import list_all_again
from wardgate.kube.watch.objects import SeenStatus, ignore_status
from wardgate.kube.watch.sink import Sink


class Resync:
    """All our kinds, cluster-wide or in each of ``namespaces``. Owned by one loop."""

    def __init__(
        self,
        client: KubeClient,
        *,
        sink: Sink,
        timing: Timing,
        namespaces: Iterable[str] = (),
        kinds: Iterable[str] = tuple(KINDS),
        period: float = PERIOD,
        on_watchable: Callable[[], None] = lambda: None,
        on_status: Callable[[SeenStatus], None] = ignore_status,
    ) -> None:
        places: list[str | None] = [*sorted(set(namespaces))] or [None]
        self.listers = tuple(
            (ForeignLister if kind in GUARDS else KindLister)(
                client,
                Collection(resource_of(kind), namespace),
                sink=sink,
                timing=timing,
                period=period,
                on_watchable=on_watchable,
                on_status=on_status,
            )
            for kind in kinds
            for namespace in places
        )

    @property
    def _vital(self) -> tuple[KindLister, ...]:
        return tuple(one for one in self.listers if one.is_vital)

    @property
    def watchable(self) -> frozenset[str]:
        """The kinds that can be watched: the last answer everywhere was a list."""
        refused = {one.kind for one in self.listers if not one.is_watchable}
        return frozenset(one.kind for one in self.listers) - refused

    @property
    def last_resync(self) -> Mapping[str, float | None]:
        """The time at which each kind of ours was last listed everywhere; None: not yet."""
        times: dict[str, float | None] = {}
        for one in self._vital:
            before = times.get(one.kind, one.listed_at)
            times[one.kind] = None if before is None or one.listed_at is None else min(before, one.listed_at)
        return times

    @property
    def is_in_time(self) -> bool:
        """Whether every kind was listed in its time, or a little later."""
        return all(one.is_in_time for one in self.listers)

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons why kinds cannot be listed, a sentence each."""
        return tuple(one.problem for one in self.listers if one.problem)

    def missing(self) -> tuple[str, ...]:
        """A sentence for every list that is still to come."""
        late = (one for one in self.listers if one.is_awaited)
        return tuple(one.problem or f"Waiting for the list of {one.collection}." for one in late)

    async def run(self) -> None:
        """Keep listing until cancelled."""
        async with asyncio.TaskGroup() as group:
            for one in self.listers:
                group.create_task(one.run(), name=f"resync of {one.collection}")

    async def list_again(self) -> None:
        """List every kind once more now. Raises ``KubeError`` where a kind of ours could not be listed."""
        foreign = (one.try_to_list() for one in self.listers if not one.is_vital)
        await asyncio.gather(list_all_again(self._vital), *foreign)

    def hurry(self, kind: str) -> None:
        """A watch of the kind was lost: list it now."""
        for one in self.listers:
            if one.kind == kind:
                one.hurry()
