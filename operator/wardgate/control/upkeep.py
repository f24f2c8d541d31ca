"""The upkeep of what is published, as long as a term lasts: ``verifiedAt`` is renewed, and old shards are deleted."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn

from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.publish.publisher import Publisher
from wardgate.kube.publish.sweep import Sweeper

_log = logging.getLogger(__name__)

RENEW: Final = 15.0
"""Seconds between two renewals of ``verifiedAt``."""
SWEEP: Final = 5.0
"""Seconds between two looks for shards that no index names any more."""


class Upkeep:
    """``is_live`` tells whether every watch is known to deliver; ``wake`` is called when a publish is due."""

    def __init__(
        self, publisher: Publisher, *, is_live: Callable[[], bool], wake: Callable[[], None], timing: Timing
    ) -> None:
        self._publisher = publisher
        self._is_live = is_live
        self._wake = wake
        self._timing = timing
        self._sweeper = Sweeper(publisher, clock=timing.clock)

    async def renew_for_ever(self) -> NoReturn:
        """Vouch for what is published, while nothing that it is made of may be stale. Raises ``Deposed``."""
        while True:
            await self._timing.sleep(RENEW)
            if self._is_live():
                await _attempt(self._renew, "verifiedAt could not be renewed")

    async def sweep_for_ever(self) -> NoReturn:
        """Delete old shards. Raises ``Deposed``."""
        while True:
            await self._timing.sleep(SWEEP)
            await _attempt(self._sweeper.sweep, "Old shards could not be deleted")

    async def _renew(self) -> None:
        if not await self._publisher.renew():
            self._wake()


async def _attempt(work: Callable[[], Awaitable[object]], what: str) -> None:
    """Do something that is done again soon anyway."""
    try:
        await work()
    except Deposed:
        raise
    except KubeError as error:
        _log.warning("%s: %s", what, error)
