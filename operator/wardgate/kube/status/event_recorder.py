"""Creates Events at a bounded rate, and so that the last one of an object is never about what is over.

Rule 1: an Event is not repeated within ten minutes while it is the last word on its object. After another one it is
told again: otherwise a mistake that comes back would stand behind the word that it is resolved.
Rule 2: of the Events of one object that wait, only the newest is told; none if what was told last is true again.
Rule 3: an object that turns again and again has a few turns at once and then one a minute; all objects together have
``rate`` a second.
Rule 4: an Event that cannot be told is only counted: nobody may depend on them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.resources import EVENTS
from wardgate.kube.api.token_bucket import TokenBucket
from wardgate.kube.status.events import StatusEvent, event_manifest, turn
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

Manifest: TypeAlias = dict[str, Any]

RATE: Final = 5.0
BURST: Final = 25
AGAIN_AFTER: Final = 600.0
"""Seconds within which the last word on an object is not repeated."""
TURNS: Final = 6
"""Events of one object at once; then one in ``TURN_EVERY`` seconds."""
TURN_EVERY: Final = 60.0
_WAITING: Final = 1000
"""Objects with an Event that waits, at most; further ones are dropped."""
_REMEMBERED: Final = 10_000

_log = logging.getLogger(__name__)


class EventClient(Protocol):
    """The part of ``KubeClient`` that Events need."""

    async def create(self, path: str, manifest: Mapping[str, object]) -> Manifest:
        """Create an object in a collection."""
        ...


@dataclass(slots=True)
class _LastWord:
    """The Event of an object that was told last, and when; ``turns`` bounds those to come."""

    told: StatusEvent | None = None
    at: float = 0.0
    turns: TokenBucket = field(default_factory=lambda: TokenBucket(rate=1.0 / TURN_EVERY, burst=TURNS))

    def is_still(self, event: StatusEvent, now: float) -> bool:
        return self.told == event and now - self.at < AGAIN_AFTER


class EventRecorder:
    """Owned by one event loop. ``clock`` is monotonic, in seconds; ``now`` is the time of day."""

    def __init__(
        self,
        client: EventClient,
        *,
        instance: str,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rate: float = RATE,
        burst: int = BURST,
    ) -> None:
        self._client = client
        self._instance = instance or "wardgate-operator"
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._bucket = TokenBucket(rate=rate, burst=burst)
        self._waiting: dict[ObjectRef, StatusEvent] = {}
        self._last: dict[ObjectRef, _LastWord] = {}
        self._filled = asyncio.Event()
        self._forbidden = False
        self.created = 0
        """Events that the API server took."""
        self.failures = 0
        """Events that it did not take."""
        self.dropped = 0
        """Events that were too many."""

    def tell(self, before: Mapping[str, Any] | None, verdict: ObjectStatus) -> None:
        """Tell of a verdict, if it is a turn. ``before``: the status that went before."""
        event = turn(before, verdict)
        if event is not None:
            self.add(event)

    def add(self, event: StatusEvent) -> None:
        """Tell an Event, unless it is the last word on its object anyway."""
        ref = event.ref
        if ref in self._last and self._last[ref].is_still(event, self._clock()):
            self._waiting.pop(ref, None)
        elif ref not in self._waiting and len(self._waiting) >= _WAITING:
            self.dropped += 1
        else:
            self._waiting[ref] = event
            self._filled.set()

    async def run(self) -> None:
        """Create Events as they come, for ever."""
        while True:
            self._filled.clear()
            rest = await self.create_waiting()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._filled.wait()

    async def create_waiting(self) -> float | None:
        """Create the Events that may be told now; return the seconds until the next one may be, None without one."""
        rest: list[float] = []
        for ref in list(self._waiting):
            if wait := self._last_word(ref).turns.take(self._clock()):
                rest.append(wait)
                continue
            while wait := self._bucket.take(self._clock()):
                await self._sleep(wait)
            event = self._waiting.pop(ref, None)  # meanwhile another one may have come, or it may be void
            if event is not None:
                word = self._last_word(ref)
                word.told, word.at = event, self._clock()
                await self._create(event)
        return min(rest, default=None)

    async def _create(self, event: StatusEvent) -> None:
        manifest = event_manifest(event, instance=self._instance, now=self._now())
        try:
            await self._client.create(EVENTS.path(event.ref.namespace), manifest)
            self.created += 1
        except KubeError as error:
            self.failures += 1
            if isinstance(error, ApiError) and error.is_forbidden and not self._forbidden:
                self._forbidden = True
                _log.warning("No Events can be created: %s. Grant create on events in events.k8s.io.", error)

    def _last_word(self, ref: ObjectRef) -> _LastWord:
        """Bounded: a cluster that has so much to tell may hear something twice."""
        if ref not in self._last:
            if len(self._last) >= _REMEMBERED:
                self._last.clear()
            self._last[ref] = _LastWord()
        return self._last[ref]
