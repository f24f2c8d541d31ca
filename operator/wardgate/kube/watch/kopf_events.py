"""The events of our kinds: kopf brings them, and is started again whenever it ends or has to watch other kinds.

kopf watches the kinds that can be watched now (``watchable``); when a CRD appears or a right is taken away, it is
started anew with the others. While it is away, or misses something, the resync makes up for it. kopf does not report
the objects that disappeared while a watch was lost; but it lists then, which shows in its events. ``on_relist`` is
called for that kind, and for every kind when kopf ended unasked: a right or a CRD may have gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, NoReturn

from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.faults import place_of
from wardgate.kube.api.client import KubeClient
from wardgate.kube.api.pacing import SILENCE, Backoff, Timing
from wardgate.kube.watch.kind_lister import DOUBTED
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.kube.watch.kopf_thread import KopfThread, Observed
from wardgate.kube.watch.objects import SeenStatus, ignore_status
from wardgate.kube.watch.sink import Sink
from wardgate.problems import ObjectRef

_log = logging.getLogger(__name__)

_SETTLE: Final = 0.3
"""Seconds in which further changes of the kinds are awaited, so that seven answers do not start kopf seven times."""
_STEADY: Final = 30.0
_ONE_LIST: Final = 1.0
"""Seconds after which an event from a list is of another one; so is one of an object that the list had already."""


class _ListNotice:
    """Tells where kopf's next list of a kind begins: its events do not say which list they are from."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._seen: set[ObjectRef] = set()

    def begins_with(self, ref: ObjectRef, *, now: float) -> bool:
        """Whether this event is the first of a list."""
        is_new = ref in self._seen or now - self._last > _ONE_LIST
        if is_new:
            self._seen.clear()
        self._seen.add(ref)
        self._last = now
        return is_new


class KopfEvents:
    """``watchable`` says which kinds there are; call ``look_again`` when its answer has changed."""

    def __init__(
        self,
        client: KubeClient,
        *,
        sink: Sink,
        timing: Timing,
        watchable: Callable[[], frozenset[str]],
        on_relist: Callable[[str], None],
        on_status: Callable[[SeenStatus], None] = ignore_status,
        namespaces: Iterable[str] = (),
        silence: float = SILENCE,
    ) -> None:
        self._client = client
        self._sink = sink
        self._timing = timing
        self._watchable = watchable
        self._on_relist = on_relist
        self._on_status = on_status
        self._namespaces = tuple(sorted(set(namespaces)))
        self._silence = silence
        self._backoff = Backoff(timing.random)
        self._wanted = asyncio.Event()
        self._is_void = False
        self._lists: dict[tuple[str, str], _ListNotice] = {}
        self.watching: frozenset[str] = frozenset()
        """The kinds that kopf watches now."""

    def look_again(self) -> None:
        """Other kinds may be watchable now: watch those that are."""
        self._wanted.set()

    def begin_anew(self) -> None:
        """Start kopf from nothing: history was rolled back, and its versions are void."""
        self._is_void = True
        self._wanted.set()

    async def run(self) -> NoReturn:
        """Keep kopf running until cancelled."""
        while True:
            self._wanted.clear()
            self.watching = self._watchable()
            if not self.watching:
                await self._wanted.wait()
                continue
            began = self._timing.clock()
            outcome = await self._try_to_run(self.watching)
            if outcome is not None:
                await self._pause(outcome, lasted=self._timing.clock() - began)

    async def _try_to_run(self, kinds: frozenset[str]) -> str | None:
        try:
            return await self._run_once(kinds)
        except Exception as error:  # noqa: BLE001 - whatever kopf runs into, the rest goes on
            return place_of(error)

    async def _run_once(self, kinds: frozenset[str]) -> str | None:
        """Run kopf until it ends, or until other kinds are wanted: None."""
        self._lists.clear()
        self._is_void = False
        thread = KopfThread(
            [resource_of(kind) for kind in sorted(kinds)],
            namespaces=self._namespaces,
            silence=self._silence,
            random=self._timing.random,
            access=self._client.access,
            observe=self._observe,
        )
        thread.start()
        try:
            return await self._until_over(thread, kinds)
        finally:
            await thread.stop()

    async def _until_over(self, thread: KopfThread, kinds: frozenset[str]) -> str | None:
        thread.ended.add_done_callback(lambda _: self._wanted.set())
        while not thread.ended.done():
            await self._wanted.wait()
            if not thread.ended.done():
                await self._timing.sleep(_SETTLE)
            self._wanted.clear()
            if self._is_void or self._watchable() != kinds:
                return None
        return thread.ended.result()

    async def _pause(self, outcome: str, *, lasted: float) -> None:
        if lasted >= _STEADY:
            self._backoff.reset()
        delay = self._backoff.next()
        _log.warning(
            "kopf stopped watching%s and is started again; meanwhile the periodic lists stand in.",
            f" ({outcome})" if outcome else "",
        )
        for kind in sorted(self.watching):
            self._on_relist(kind)
        self.watching = frozenset()
        await self._timing.sleep(delay)

    def _observe(self, observed: Observed) -> None:
        scope = observed.ref.namespace if self._namespaces else ""
        # Only a list tells whether the object was deleted or its whole kind is going away.
        if observed.obj is None and observed.ref.kind in DOUBTED:
            self._on_relist(observed.ref.kind)
            return
        if observed.obj is None:
            self._sink.removed(observed.ref, version=observed.version, scope=scope)
            return
        self._sink.changed(observed.obj, scope=scope)
        if observed.status is not None and observed.ref.kind not in GUARDS:
            self._on_status(observed.status)
        if observed.was_listed:
            notice = self._lists.setdefault((observed.ref.kind, scope), _ListNotice())
            if notice.begins_with(observed.ref, now=self._timing.clock()):
                self._on_relist(observed.ref.kind)
