"""One kind, listed in full again and again, with the meaning of each answer for the store and for kopf's watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, NoReturn

from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.faults import place_of
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.watch.listing import (
    REPEAT_REFUSED,
    Refusal,
    explain,
    explain_absence,
    is_going_away,
    list_all,
)
from wardgate.kube.watch.objects import SeenStatus, ignore_status, seen_status, stored_object
from wardgate.kube.watch.sink import Sink
from wardgate.snapshot import StoredObject
from wardgate.tasks import spawn

_log = logging.getLogger(__name__)

PERIOD: Final = 60.0
"""Seconds between two lists of a kind at most; with the list itself it must stay below 90 (invariant 5)."""

DOUBTED: Final = frozenset({"ExtAuthPolicy", *GUARDS})
"""Kinds that close what they select, so that an object that is gone opens something. Where the CRD is deleted its
objects go first, and nothing is to be opened by that: so what is gone is taken from a list alone, after which it is
asked whether the kind itself is going away. If it is, it counts as absent already."""


class KindLister:
    """One kind in one namespace or in all; ``scope`` is the namespace, empty for all.

    ``is_vital``: nothing is published before it was listed, and a new leader does not take over without a list.
    """

    is_vital: ClassVar[bool] = True

    def __init__(
        self,
        client: KubeClient,
        collection: Collection,
        *,
        sink: Sink,
        timing: Timing,
        period: float,
        on_watchable: Callable[[], None],
        on_status: Callable[[SeenStatus], None] = ignore_status,
    ) -> None:
        self.collection = collection
        self.kind = collection.resource.kind
        self.scope = collection.namespace or ""
        self._client = client
        self._sink = sink
        self._timing = timing
        self._period = period
        self._on_watchable = on_watchable
        self._on_status = on_status
        self._backoff = Backoff(timing.random)
        # Apart from the failures: a refusal often follows an outage, whose delays have grown by then.
        self._refused = Backoff(timing.random, longest=REPEAT_REFUSED)
        self.refusal = Refusal(timing)
        self._lock = asyncio.Lock()
        self._hurry = asyncio.Event()
        self.listed_at: float | None = None
        """The time of the last list, or of the last word that the kind is absent; None before the first."""
        self.is_watchable = False
        """Whether the last answer was a list."""
        self.problem = ""
        """The reason why it cannot be listed, a sentence for people; empty if it can."""

    @property
    def is_awaited(self) -> bool:
        """Whether nothing is to be published before it was listed."""
        return self.listed_at is None

    @property
    def is_in_time(self) -> bool:
        """Whether it was listed within its period and half of that again."""
        return self.listed_at is not None and self._timing.clock() - self.listed_at <= 1.5 * self._period

    async def run(self) -> NoReturn:
        """List it again and again until cancelled."""
        while True:
            await self._rest(await self.try_to_list())

    async def list_again(self) -> None:
        """List it once, and replace what is held. Raises ``KubeError``; an absent kind is none."""
        async with self._lock:
            seen = self._sink.position(self.kind, self.scope)
            try:
                listing = await list_all(self._client, self.collection, read=self._read)
            except ApiError as error:
                if not error.is_absent:
                    raise
                self._is_absent()
                return
            if self.kind in DOUBTED and await is_going_away(self._client, self.collection.resource):
                self._is_absent()
                return
            self._sink.replaced(self.kind, listing.objects, as_of=listing.as_of, at_least=seen, scope=self.scope)
            self._sink.absent(self.kind, absent=False)
            self._is_listed()

    def hurry(self) -> None:
        """List it now, or once more if it is being listed; the answer decides when the next list comes."""
        self._hurry.set()

    def _read(self, items: Iterable[Mapping[str, Any]]) -> list[StoredObject]:
        objects = []
        for item in items:
            objects.append(stored_object(self.kind, item))
            self._tell_status(seen_status(self.kind, item))
        return objects

    def _tell_status(self, seen: SeenStatus) -> None:
        self._on_status(seen)

    async def _rest(self, seconds: float) -> None:
        """Wait for a time, or until there is a hurry."""
        waiting: tuple[asyncio.Task[object], ...] = (
            spawn(self._timing.sleep(seconds), name=f"rest between two lists of {self.collection}"),
            spawn(self._hurry.wait(), name=f"wait for a hurry to list {self.collection}"),
        )
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            self._hurry.clear()

    async def try_to_list(self) -> float:
        """List it once; return the seconds until the next time. A failure becomes the ``problem``."""
        try:
            await self.list_again()
        except KubeError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - the next list may go well, and nobody else would make it
            self._has_problem(
                f"Internal error ({place_of(error)}) while {self.collection} were listed. Please report this as "
                f"a bug of Wardgate."
            )
            return self._backoff.next()
        self._backoff.reset()
        return self._period * (1.0 - 0.2 * self._timing.random()) if self.is_watchable else self._refused.next()

    def _failed(self, error: KubeError) -> float:
        self._has_problem(self._explain(error))
        if isinstance(error, ApiError) and error.is_forbidden:
            self.refusal.note(error)
            self._watchable(yes=False)
            return self._refused.next()
        return self._backoff.next()

    def _is_absent(self) -> None:
        self._sink.absent(self.kind, absent=True)
        self.listed_at = self._timing.clock()
        self._has_problem(self._explain_absence())
        self._watchable(yes=False)

    def _is_listed(self) -> None:
        self.listed_at = self._timing.clock()
        self.refusal.is_over()
        self._refused.reset()
        if self.problem:
            _log.info("Listing %s again.", self.collection)
        self.problem = ""
        self._watchable(yes=True)

    def _watchable(self, *, yes: bool) -> None:
        if yes != self.is_watchable:
            self.is_watchable = yes
            self._on_watchable()

    def _explain(self, error: KubeError) -> str:
        return explain(self.collection, error)

    def _explain_absence(self) -> str:
        return explain_absence(self.collection)

    def _has_problem(self, sentence: str) -> None:
        if sentence and sentence != self.problem:
            _log.warning("%s", sentence)
        self.problem = sentence
