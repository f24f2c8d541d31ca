"""Keeps a sink in step with one collection of the API server, for as long as it runs: list, then watch.

A watch that ended in order goes on from its last version, so that whatever happened since is replayed. Anything else
is followed by a list: a watch that broke, that could not be opened, whose version the server has forgotten (410), that
said nothing for too long; and every ten minutes there is one in any case. To go on from the last version would often
do, but not when the cluster came back from a backup: its versions soon pass the last one that we saw, nothing tells,
and what we hold of the lost history would stay.

A kind without a CRD is empty and looked for again. One that we may not list is *not* empty: what was last seen stays,
and ``problem`` says so. Nothing ends this loop but its cancellation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, NoReturn

from wardgate.faults import place_of
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.watch.listing import Collection, Refusal, explain, list_all
from wardgate.kube.watch.reflection import Changed, Delta, Reflection, Removed
from wardgate.kube.watch.sink import Sink
from wardgate.snapshot import StoredObject

_log = logging.getLogger(__name__)

SILENCE: Final = 75.0
"""Seconds without a word (bookmarks come every minute) after which a watch is dead; with a list it stays below 90
(invariant 5)."""
RELIST: Final = 600.0
"""Seconds between two lists, give or take a tenth."""
_LIFETIME: Final = 240
"""Seconds after which the server ends a watch, and up to half as much again."""
_STEADY: Final = 5.0
"""Seconds after which a watch that ends was a good one: the next one needs no back-off."""


class Reflector:
    """One collection, into one scope of the sink."""

    def __init__(
        self,
        client: KubeClient,
        collection: Collection,
        *,
        sink: Sink,
        scope: str = "",
        timing: Timing,
        silence: float = SILENCE,
        relist: float = RELIST,
    ) -> None:
        self.collection = collection
        self.scope = scope
        self._client = client
        self._sink = sink
        self._timing = timing
        self._silence = silence
        self._relist = relist
        self._kind = collection.resource.kind
        self._reflection = Reflection(self._kind)
        self._backoff = Backoff(timing.random)
        self._outage = Backoff(timing.random)
        self.refusal = Refusal(timing)
        self._list_due = float("-inf")
        self._listing = asyncio.Lock()
        self.listed_at: float | None = None
        """When it was last listed, or known to be absent; None before the first time."""
        self.last_word_at: float | None = None
        """When the server last said anything about it, be it a bookmark."""
        self.is_live = False
        """Whether a watch is open, or ended in order just now."""
        self.is_answered = False
        """Whether the first list was answered at all, were it with a refusal."""
        self.problem = ""
        """What keeps it from being in step, a sentence for people; empty if nothing does."""

    async def run(self) -> NoReturn:
        """Follow the collection until cancelled."""
        try:
            while True:
                delay = await self._try_to_follow()
                if delay > 0.0:
                    await self._timing.sleep(delay)
        finally:
            self.is_live = False

    async def list_again(self) -> None:
        """Tell the sink what there is now, beside the running watch. Raises ``KubeError``."""
        async with self._listing:
            seen = self._seen()
            listing = await list_all(self._client, self.collection, self._reflection.read)
            self._tell(listing.objects, as_of=listing.as_of, seen=seen)

    async def _try_to_follow(self) -> float:
        try:
            return await self._follow_once()
        except Exception as error:  # noqa: BLE001 - nobody else would notice a revoked key
            return self._give_up_once(error)

    async def _follow_once(self) -> float:
        """List if need be, watch until the watch ends; return the seconds to wait before the next time."""
        try:
            if self._timing.clock() >= self._list_due:
                await self._list()
        except KubeError as error:
            return self._was_refused(error)
        self._outage.reset()
        began = self._timing.clock()
        try:
            await self._watch()
        except KubeError as error:
            return self._broke(error, began=began)
        return self._next_delay(began)

    async def _list(self) -> None:
        async with self._listing:
            seen = self._seen()
            listing = await list_all(self._client, self.collection, self._reflection.read)
            relisted = self._reflection.replace(listing.objects, as_of=listing.as_of)
            self._tell(relisted.objects, as_of=relisted.as_of, seen=seen)
        if relisted.rolled_back:
            _log.warning("The cluster's history was set back: %s were taken over as they are now.", self.collection)
        elif relisted.missed:
            _log.info("A list of %s told of %d deletions that no event had.", self.collection, len(relisted.missed))
        self._list_due = self._timing.clock() + self._relist * (0.9 + 0.2 * self._timing.random())

    def _seen(self) -> int:
        version = self._reflection.version
        return max(-1 if version is None else version, self._sink.position(self._kind, self.scope))

    def _tell(self, objects: Sequence[StoredObject], *, as_of: int, seen: int) -> None:
        self._sink.replaced(self._kind, objects, as_of=as_of, at_least=seen, scope=self.scope)
        self._sink.absent(self._kind, absent=False)
        self._settled()

    async def _watch(self) -> None:
        assert self._reflection.version is not None
        parameters = {
            **self.collection.parameters,
            "resourceVersion": self._reflection.version,
            "timeoutSeconds": int(_LIFETIME * (1.0 + 0.5 * self._timing.random())),
        }
        async with self._client.watch(self.collection.path, parameters, silence=self._silence) as events:
            self.is_live = True
            self._is_well()
            async for event in events:
                self._pass_on(self._reflection.apply(event))
                self.last_word_at = self._timing.clock()

    def _pass_on(self, delta: Delta) -> None:
        match delta:
            case Changed(obj):
                self._sink.changed(obj, scope=self.scope)
            case Removed(ref, version):
                self._sink.removed(ref, version=version, scope=self.scope)

    def _next_delay(self, began: float) -> float:
        """None to speak of after a good watch; more and more when one after the other ends at once."""
        if self._timing.clock() - began >= _STEADY:
            self._backoff.reset()
        return self._backoff.next()

    def _broke(self, error: KubeError, *, began: float) -> float:
        """The watch failed: say why, and when to go on."""
        self.is_live = False
        self._list_due = float("-inf")
        if isinstance(error, ApiError) and error.is_forbidden:
            return self._was_refused(error)
        _log.debug("The watch of %s ended (%s); it is opened again.", self.collection, error)
        return self._next_delay(began)

    def _was_refused(self, error: KubeError) -> float:
        """There is no list or no watch: say why, and when to ask again."""
        self._has_problem(explain(self.collection, error))
        self.refusal.note(error)
        if not isinstance(error, ApiError) or not (self._is_absent(error) or error.is_forbidden):
            return self._outage.next()
        self.is_answered = True
        return self.refusal.next()

    def _is_absent(self, error: ApiError) -> bool:
        if error.is_absent:
            self._sink.absent(self._kind, absent=True)
            self._settled()
        return error.is_absent

    def _give_up_once(self, error: Exception) -> float:
        self._list_due = float("-inf")
        self._has_problem(
            f"Internal error ({place_of(error)}) while {self.collection} were watched; everything is listed "
            f"again. Please report this as a bug of Wardgate."
        )
        return self._backoff.next()

    def _settled(self) -> None:
        self.is_answered = True
        self.listed_at = self.last_word_at = self._timing.clock()

    def _is_well(self) -> None:
        self.last_word_at = self._timing.clock()
        self.refusal.is_over()
        if self.problem:
            _log.info("Watching %s again.", self.collection)
        self.problem = ""

    def _has_problem(self, sentence: str) -> None:
        self.is_live = False
        if sentence != self.problem:
            _log.warning("%s", sentence)
        self.problem = sentence
