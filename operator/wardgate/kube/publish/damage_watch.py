"""Watches what the publisher has written, so that what someone else deletes or changes is repaired at once.

Whatever ends a watch other than its time, the next thing is a new look at everything there is, so that nothing depends
on having seen every event. What is damaged is the publisher's to know and to repair; this only wakes its owner up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.publish.publisher import Publisher

_STEADY: Final = 5.0
"""Seconds that a watch lasts at least, unless something is wrong with it."""


class DamageWatch:
    """``wake`` is called whenever a publish is due, until it was done; ``trouble`` with what keeps us from looking."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        wake: Callable[[], None],
        trouble: Callable[[KubeError], None],
        timing: Timing | None = None,
    ) -> None:
        self._publisher = publisher
        self._wake = wake
        self._trouble = trouble
        self._timing = timing or Timing()
        self._backoff = Backoff(self._timing.random)

    async def follow(self) -> NoReturn:
        """Watch for as long as we lead: raises ``Deposed`` when another replica has written the index."""
        while True:
            try:
                await self._follow_once()
            except Deposed:
                raise
            except KubeError as error:
                if not (isinstance(error, ApiError) and error.is_expired):
                    self._trouble(error)
            await self._timing.sleep(self._backoff.next())

    async def _follow_once(self) -> None:
        version = await self._publisher.recount()
        self._tell()
        began = self._timing.clock()
        version = await self._watch(version)
        while self._timing.clock() - began >= _STEADY:
            began = self._timing.clock()
            version = await self._watch(version)

    async def _watch(self, version: str) -> str:
        """Follow until the API server ends the watch in good order; return the version to go on from."""
        async with self._publisher.secrets.watch(version) as events:
            async for event in events:
                self._backoff.reset()
                version = str(event["object"]["metadata"]["resourceVersion"])
                if event["type"] != "BOOKMARK":
                    await self._publisher.notice(str(event["type"]), event["object"]["metadata"])
                    self._tell()
        return version

    def _tell(self) -> None:
        if self._publisher.is_damaged:
            self._wake()
