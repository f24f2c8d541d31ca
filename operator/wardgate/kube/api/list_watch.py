"""The one loop of list and watch: it keeps a consumer in step with a collection of the API server.

Rule 1: a list comes first, then a watch from the version of that list.
Rule 2: a watch that lasted and ended in order goes on from the last version that it told, so that whatever happened in
        between is replayed. Anything else is followed by a list: a watch that broke, that could not be opened, whose
        version the server has forgotten (410), that said nothing for too long, that ended as soon as it was opened.
Rule 3: every ``Pace.relist`` seconds there is a list in any case. To go on from the last version would often do, but
        not when the cluster came back from a backup: its versions soon pass the last one that was seen, nothing tells,
        and what is held of the lost history would stay.
Rule 4: attempts come slower and slower while they fail, with jitter, so that a fleet does not return all at once.
        Failures, refusals and watches that end too early each have delays of their own, for one often follows another:
        an API server that has just come back refuses everybody until it has read its roles.

A ``Consumer`` does the rest. It makes the list itself (in pages, or as one bounded request), takes every event,
bookmarks too, and says what a failure means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from wardgate.kube.api.client import KubeClient, Manifest
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError
from wardgate.kube.api.pacing import LONGEST, SILENCE, Backoff, Timing

RELIST: Final = 600.0
"""Seconds between two lists, give or take a tenth."""
STEADY: Final = 5.0
"""Seconds after which a watch that ends was a good one: the next attempt is quick again."""
_LIFETIME: Final = 240
"""Seconds after which the server ends a watch, and up to half as much again: all watches are not to end at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits in seconds. ``silence``: without a byte, after which a watch is dead.

    ``relist``: between two lists; 0 for a list after every watch. ``refused``: between two attempts at most, while the
    server refuses (401, 403) or knows no such collection (404).
    """

    silence: float = SILENCE
    relist: float = RELIST
    refused: float = LONGEST


@dataclass(frozen=True, slots=True)
class Trouble:
    """The failure of a list, or of a watch where ``watching``.

    ``error`` is a ``KubeError``, or whatever went wrong in the consumer. ``repeated``: the same refusal was told
    just before, and no watch was opened since.
    """

    error: Exception
    watching: bool
    repeated: bool

    @property
    def is_refusal(self) -> bool:
        """Whether the server refuses us, or a list finds no such collection. If a watch finds none, a list follows."""
        if not isinstance(self.error, ApiError):
            return False
        return self.error.is_forbidden or (self.error.is_absent and not self.watching)

    @property
    def is_expired(self) -> bool:
        """Whether the server forgot the version to go on from: that happens, and is no sign of anything wrong."""
        return self.watching and isinstance(self.error, ApiError) and self.error.is_expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """The side that is kept in step, as four callbacks.

    ``on_list`` makes a list, takes over everything there is, and returns the version of the list. ``on_event`` takes an
    event of a watch. ``on_trouble`` hears of every failure, and ends the loop if it raises; ``on_open`` hears that a
    watch was opened.
    """

    on_list: Callable[[], Awaitable[str]]
    on_event: Callable[[Manifest], Awaitable[None]]
    on_trouble: Callable[[Trouble], None]
    on_open: Callable[[], None] = lambda: None


async def follow(
    client: KubeClient, collection: Collection, *, consumer: Consumer, timing: Timing, pace: Pace
) -> NoReturn:
    """List and watch by the rules above until cancelled, or until the consumer's ``on_trouble`` raises."""
    loop = _ListWatch(client, collection, consumer=consumer, timing=timing, pace=pace)
    while True:
        await timing.sleep(await loop.once())


def watch_from(
    client: KubeClient, collection: Collection, *, version: str, silence: float, random: Callable[[], float]
) -> AbstractAsyncContextManager[AsyncIterator[Manifest]]:
    """Watch a collection from a version on: one watch, for as long as it lasts."""
    parameters = {**collection.parameters, "resourceVersion": version, "timeoutSeconds": lifetime(random)}
    return client.watch(collection.path, parameters, silence=silence, metadata_only=collection.metadata_only)


def lifetime(random: Callable[[], float]) -> int:
    """Seconds to ask the server for as the time of a watch; drawn anew for each."""
    return int(_LIFETIME * (1.0 + 0.5 * random()))


class _ListWatch:
    def __init__(
        self, client: KubeClient, collection: Collection, *, consumer: Consumer, timing: Timing, pace: Pace
    ) -> None:
        self._client = client
        self._collection = collection
        self._consumer = consumer
        self._timing = timing
        self._pace = pace
        self._version = ""
        self._refusal = ""
        self._list_due = float("-inf")
        self._failed = Backoff(timing.random)
        self._refused = Backoff(timing.random, longest=pace.refused)
        self._ended = Backoff(timing.random)

    async def once(self) -> float:
        """List if need be, then watch until the watch ends; return the seconds to wait before the next time."""
        try:
            await self._list_if_due()
        except Exception as error:  # noqa: BLE001 - the consumer knows which of them it outlives
            return self._pause_after(error, watching=False)
        opened = self._timing.clock()
        broken: Exception | None = None
        try:
            await self._watch()
        except Exception as error:  # noqa: BLE001 - as above
            broken = error
        # A server that ends every watch at once, or a consumer that stumbles over every first event, must not be asked
        # 20 times a second: only a watch that lasted makes the next attempt quick.
        lasted = self._timing.clock() - opened >= STEADY
        if lasted:
            self._ended.reset()
        if broken is not None or not lasted:
            self._list_due = float("-inf")
        return self._ended.next() if broken is None else self._pause_after(broken, watching=True)

    async def _list_if_due(self) -> None:
        if self._timing.clock() >= self._list_due:
            self._version = await self._consumer.on_list()
            self._list_due = self._timing.clock() + self._pace.relist * (0.9 + 0.2 * self._timing.random())
        self._failed.reset()

    async def _watch(self) -> None:
        opening = watch_from(
            self._client,
            self._collection,
            version=self._version,
            silence=self._pace.silence,
            random=self._timing.random,
        )
        async with opening as events:
            self._refused.reset()
            self._refusal = ""
            self._consumer.on_open()
            async for event in events:
                await self._consumer.on_event(event)
                self._version = _version_after(event, self._version)

    def _pause_after(self, error: Exception, *, watching: bool) -> float:
        """Tell the consumer of a failure; return the seconds to wait."""
        trouble = Trouble(error, watching=watching, repeated=str(error) == self._refusal)
        self._refusal = str(error) if trouble.is_refusal else ""
        self._consumer.on_trouble(trouble)
        if trouble.is_refusal:
            return self._refused.next()
        return self._ended.next() if watching else self._failed.next()


def _version_after(event: Manifest, before: str) -> str:
    """The version that an event tells. An event of a kind that nobody knows may tell none."""
    metadata: Any = event["object"].get("metadata") or {}
    return str(metadata.get("resourceVersion") or before)
