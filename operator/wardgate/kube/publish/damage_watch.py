"""Watches what the publisher has written, so that what someone else deletes or changes is repaired at once.

The publisher knows the damage and repairs it; this only wakes its owner up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from wardgate.kube.api.client import Manifest
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.list_watch import Consumer, Pace, Trouble, follow
from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.publish.publisher import Publisher


class DamageWatch:
    """``wake`` is called whenever a publish is due, until it was done; ``trouble`` with what keeps us from looking,
    a refusal once.
    """

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

    async def follow(self) -> NoReturn:
        """Watch for as long as we lead: raises ``Deposed`` when another replica has written the index."""
        secrets = self._publisher.secrets
        consumer = Consumer(on_list=self._look, on_event=self._take, on_trouble=self._has_trouble)
        await follow(secrets.client, secrets.metadata, consumer=consumer, timing=self._timing, pace=Pace())

    async def _look(self) -> str:
        version = await self._publisher.recount()
        self._tell()
        return version

    async def _take(self, event: Manifest) -> None:
        if event["type"] != "BOOKMARK":
            await self._publisher.notice(str(event["type"]), event["object"]["metadata"])
            self._tell()

    def _has_trouble(self, trouble: Trouble) -> None:
        # Only the API server's failures are outlived here. A bug of ours ends the process, which then starts anew.
        if isinstance(trouble.error, Deposed) or not isinstance(trouble.error, KubeError):
            raise trouble.error
        if not (trouble.is_expired or trouble.repeated):
            self._trouble(trouble.error)

    def _tell(self) -> None:
        if self._publisher.is_damaged:
            self._wake()
