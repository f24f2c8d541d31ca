"""Keeps a sink in step with one collection of the API server, for as long as it runs (``list_watch``).

A kind without a CRD is empty and looked for again. One that we may not list is *not* empty: what was last seen stays,
and ``problem`` says so. Nothing ends a reflector but its cancellation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn

from wardgate.faults import place_of
from wardgate.kube.api.client import KubeClient, Manifest
from wardgate.kube.api.collection import Collection
from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.list_watch import Consumer, Pace, Trouble, follow
from wardgate.kube.api.pacing import SILENCE, Timing
from wardgate.kube.watch.listing import REPEAT_REFUSED, Refusal, explain, list_all
from wardgate.kube.watch.reflection import Reflection, Relisted
from wardgate.kube.watch.sink import Sink

_log = logging.getLogger(__name__)


class Reflector:
    """One collection, into one scope of the sink. ``silence``: seconds without a word after which a watch is dead.

    ``on_refusal`` is called when ``is_refused`` has changed.
    """

    def __init__(
        self,
        client: KubeClient,
        collection: Collection,
        *,
        sink: Sink,
        scope: str = "",
        timing: Timing,
        silence: float = SILENCE,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self.collection = collection
        self.scope = scope
        self._on_refusal = on_refusal
        self._client = client
        self._sink = sink
        self._timing = timing
        self._pace = Pace(silence=silence, refused=REPEAT_REFUSED)
        self._kind = collection.resource.kind
        self._reflection = Reflection(self._kind, sink=sink, scope=scope)
        self.refusal = Refusal(timing)
        self._listing = asyncio.Lock()
        self.listed_at: float | None = None
        """The time of the last list, or of the last word that the kind is absent; None before the first."""
        self.last_word_at: float | None = None
        """The time of the server's last word about it, be it a bookmark."""
        self.is_live = False
        """Whether a watch is open, or ended in order just now."""
        self.is_answered = False
        """Whether the first list was answered at all, were it with a refusal."""
        self.is_refused = False
        """Whether we may not list it, and never could."""
        self.problem = ""
        """The reason why it is not in step, a sentence for people; empty if it is."""

    async def run(self) -> NoReturn:
        """Follow the collection until cancelled."""
        consumer = Consumer(
            on_list=self._list, on_event=self._take, on_trouble=self._has_trouble, on_open=self._is_well
        )
        try:
            await follow(self._client, self.collection, consumer=consumer, timing=self._timing, pace=self._pace)
        finally:
            self.is_live = False

    async def list_again(self) -> None:
        """List once more, beside the running watch. Raises ``KubeError``."""
        await self._take_over()

    async def _list(self) -> str:
        relisted, as_of = await self._take_over()
        self._reflection.watch_from(as_of)
        if relisted.rolled_back:
            _log.warning("The cluster's history was set back: %s were taken over as they are now.", self.collection)
        elif relisted.missed:
            _log.info("A list of %s told of %d deletions that no event had.", self.collection, relisted.missed)
        return str(as_of)

    async def _take_over(self) -> tuple[Relisted, int]:
        # One list at a time: a late older one would look like a roll-back.
        async with self._listing:
            position = self._reflection.position
            listing = await list_all(self._client, self.collection, read=self._reflection.read)
            relisted = self._reflection.replace(listing.objects, as_of=listing.as_of, at_least=position)
            self._sink.absent(self._kind, absent=False)
            self._is_settled()
        return relisted, listing.as_of

    async def _take(self, event: Manifest) -> None:
        self._reflection.apply(event)
        self.last_word_at = self._timing.clock()

    def _has_trouble(self, trouble: Trouble) -> None:
        self.is_live = False
        if not isinstance(trouble.error, KubeError):
            self._has_problem(
                f"Internal error ({place_of(trouble.error)}) while {self.collection} were watched; everything is "
                f"listed again. Please report this as a bug of Wardgate."
            )
        elif trouble.is_refusal or not trouble.watching:
            self._is_refused(trouble.error)
        else:
            _log.debug("The watch of %s ended (%s); it is opened again.", self.collection, trouble.error)

    def _is_refused(self, error: KubeError) -> None:
        """There is no list or no watch."""
        self._has_problem(explain(self.collection, error))
        self.refusal.note(error)
        if isinstance(error, ApiError) and error.is_absent:
            self._sink.absent(self._kind, absent=True)
            self._is_settled()
        elif isinstance(error, ApiError) and error.is_forbidden:
            self.is_answered = True
            self._set_refused(refused=self.listed_at is None)

    def _set_refused(self, *, refused: bool) -> None:
        if refused != self.is_refused:
            self.is_refused = refused
            self._on_refusal()

    def _is_settled(self) -> None:
        self.is_answered = True
        self.listed_at = self.last_word_at = self._timing.clock()
        self._set_refused(refused=False)

    def _is_well(self) -> None:
        self.is_live = True
        self.last_word_at = self._timing.clock()
        self.refusal.is_over()
        if self.problem:
            _log.info("Watching %s again.", self.collection)
        self.problem = ""

    def _has_problem(self, sentence: str) -> None:
        if sentence != self.problem:
            _log.warning("%s", sentence)
        self.problem = sentence
