"""Writes statuses to the API server: only where they differ, only what is ours, and never in anybody's way.

Whoever translates hands in what is wanted of every object and goes on; one task does the rest, at a bounded rate. It is
level-triggered: what is written is what is wanted at that moment, so that of many changes the newest counts.

Rule 1: what stands on an object is learnt from watches and lists (``seen``); where nobody told, it is read once before
the first write. ``status_entry`` decides whether there is anything to write.
Rule 2: a generation that proxies are about to take is given a moment, so that one write tells both halves.
Rule 3: what fails is tried again, later and later: an object by itself after a conflict, all together where the API
server is away, a kind where a right is missing. A write that cannot succeed (the object is gone, the schema refuses it)
is left until something else is wanted.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Any, Final, Protocol, TypeAlias

from wardgate.kube.api.errors import ApiError, KubeError
from wardgate.kube.api.token_bucket import TokenBucket
from wardgate.kube.status.entry import PATIENCE, StatusEntry, Write
from wardgate.kube.status.manifest import Desired
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.problems import ObjectRef

Manifest: TypeAlias = dict[str, Any]
Written: TypeAlias = Callable[[Desired, Mapping[str, Any] | None], None]

RATE: Final = 20.0
BURST: Final = 50
SETTLE: Final = 0.3
"""Seconds that proxies are given to take a generation before its status says that they have not."""
REFRESH: Final = 60.0
"""Seconds after which a status that depends on the time is looked at again."""
FORBIDDEN: Final = 60.0
"""Seconds until a kind that we may not write is tried again."""
_SLICE: Final = 100
"""Objects that are looked at without a pause."""
_FIRST_RETRY: Final = 0.5
_LAST_RETRY: Final = 30.0
_NEVER: Final = float("-inf")

_log = logging.getLogger(__name__)


class StatusClient(Protocol):
    """The part of ``KubeClient`` that statuses need."""

    async def get(self, path: str) -> Manifest:
        """Read an object."""
        ...

    async def merge_patch(self, path: str, patch: Mapping[str, object]) -> Manifest:
        """Change the fields that the patch names, and return the object."""
        ...


class StatusWriter:
    """Owned by one event loop. ``clock`` is monotonic, in seconds; ``now`` is the time of day.

    ``written`` is called after every write with what was wanted and the status that went before.
    """

    def __init__(
        self,
        client: StatusClient,
        *,
        now: Callable[[], datetime],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rate: float = RATE,
        burst: int = BURST,
        enabled: bool = True,
        written: Written | None = None,
    ) -> None:
        self._client = client
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._enabled = enabled
        self._written = written
        self._bucket = TokenBucket(rate=rate, burst=burst)
        self._entries: dict[ObjectRef, StatusEntry] = {}
        self._queue: list[tuple[float, int, ObjectRef]] = []
        self._serial = count()
        self._wake = asyncio.Event()
        self._submitted: Mapping[ObjectRef, Desired] | None = None
        self._outages = 0
        self._away_until = _NEVER
        self._forbidden: dict[str, float] = {}
        self._refreshed = _NEVER
        self.writes = 0
        """Patches that the API server took."""
        self.failures = 0
        """Requests that failed."""

    @property
    def pending(self) -> int:
        """Objects that are still to be looked at or written."""
        return len(self._submitted or ()) + sum(entry.due is not None for entry in self._entries.values())

    def submit(self, desired: Mapping[ObjectRef, Desired]) -> None:
        """Replace what is wanted. Objects that are left out are left alone from now on. Costs the caller nothing."""
        if self._enabled:
            self._submitted = desired
            self._wake.set()

    def seen(self, ref: ObjectRef, status: Mapping[str, Any] | None, *, uid: str, version: int) -> None:
        """Take the status that a watch or a list found on an object; ``version`` is its resourceVersion."""
        if not self._enabled:
            return
        entry = self._entries.setdefault(ref, StatusEntry())
        if entry.see(status, uid=uid, version=version) and entry.desired is not None and not entry.given_up:
            self._schedule(ref, entry)

    def forget(self) -> None:
        """Forget everything: history was rolled back, or others wrote while nobody looked."""
        self._entries.clear()
        self._queue.clear()
        self._submitted = None

    async def run(self) -> None:
        """Write what is due, for ever."""
        while True:
            self._wake.clear()
            rest = await self.write_due()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake.wait()

    async def write_due(self) -> float:
        """Write what is due now; return the seconds until something may be due again."""
        self._refresh()
        await self._compare()
        while self._queue:
            wait = max(self._queue[0][0], self._away_until) - self._clock()
            if wait > 0:
                return min(wait, REFRESH)
            due, _, ref = heapq.heappop(self._queue)
            entry = self._entries.get(ref)
            if entry is not None and entry.due == due:
                entry.due = None
                await self._bring_about(ref, entry)
                await asyncio.sleep(0)  # publishing first
                await self._compare()
        return REFRESH

    async def _compare(self) -> None:
        """Find out what is new in what was submitted last, a slice at a time."""
        while (desired := self._submitted) is not None:
            self._submitted = None
            left_out = [ref for ref in self._entries if ref not in desired]
            for ref in left_out:
                del self._entries[ref]
            for number, (ref, one) in enumerate(desired.items()):
                entry = self._entries.setdefault(ref, StatusEntry())
                if entry.want(one):
                    self._schedule(ref, entry, after=0.0 if one.is_settled else SETTLE)
                if number % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)

    def _schedule(self, ref: ObjectRef, entry: StatusEntry, *, after: float = 0.0) -> None:
        """Look at an object then, unless that is planned for sooner; never before a failure's back-off has passed."""
        due = max(self._clock() + after, entry.not_before)
        if entry.due is not None and entry.due <= due:
            return
        entry.due = due
        heapq.heappush(self._queue, (due, next(self._serial), ref))
        self._wake.set()

    def _refresh(self) -> None:
        """Look again at policies whose keys expire: nothing else tells that time has passed."""
        if self._clock() - self._refreshed < REFRESH:
            return
        self._refreshed = self._clock()
        for ref, entry in self._entries.items():
            if entry.desired is not None and entry.desired.expiries.key_sets and not entry.given_up:
                self._schedule(ref, entry)

    async def _bring_about(self, ref: ObjectRef, entry: StatusEntry) -> None:
        wait = self._forbidden.get(ref.kind, _NEVER) - self._clock()
        if wait > 0:
            self._schedule(ref, entry, after=wait)
            return
        try:
            if entry.held is None:
                await self._take_token()
                entry.take(await self._client.get(resource_of(ref.kind).path(ref.namespace, ref.name)))
            while (write := self._next_write(ref, entry)) is not None:
                if not (wait := self._bucket.take(self._clock())):
                    await self._send(ref, entry, write=write)
                    break
                await self._sleep(wait)  # and look again: something newer may be wanted, or nothing
                await self._compare()
                if self._entries.get(ref) is not entry:
                    return
            self._outages = 0
        except KubeError as error:
            self.failures += 1
            self._failed(ref, entry, error=error)

    def _next_write(self, ref: ObjectRef, entry: StatusEntry) -> Write | None:
        write = entry.next_write(self._now())
        if write is not None and entry.was_overwritten and (wait := entry.patience(self._clock())):
            self._schedule(ref, entry, after=wait)
            return None
        return write

    async def _send(self, ref: ObjectRef, entry: StatusEntry, *, write: Write) -> None:
        if entry.was_overwritten:
            self._count_repair(ref, entry)
        before = entry.before
        path = resource_of(ref.kind).path(ref.namespace, ref.name, subresource="status")
        answer = await self._client.merge_patch(path, write.body)
        self.writes += 1
        entry.take_answer(write, answer)
        if entry.was_overwritten:
            self._schedule(ref, entry)
        if self._written is not None:
            self._written(write.desired, before)

    def _count_repair(self, ref: ObjectRef, entry: StatusEntry) -> None:
        entry.repairs += 1
        entry.repaired = self._clock()
        if entry.repairs == PATIENCE + 1:
            _log.warning(
                "Somebody else keeps changing the status of %s. If another controller serves this kind, run the "
                "operator with --status=off.",
                ref,
            )

    async def _take_token(self) -> None:
        while wait := self._bucket.take(self._clock()):
            await self._sleep(wait)

    def _failed(self, ref: ObjectRef, entry: StatusEntry, *, error: KubeError) -> None:
        """Decide when to try again, if ever."""
        if not isinstance(error, ApiError) or error.status >= 500 or error.status == 429:
            self._outages += 1
            self._away_until = self._clock() + _back_off(self._outages)
        elif error.is_conflict:
            entry.failures += 1
            entry.held = None  # it is not what we thought: read it again
            entry.not_before = self._clock() + (_back_off(entry.failures - 1) if entry.failures > 1 else 0.0)
        elif error.is_forbidden:
            self._may_not(ref, error)
        else:
            entry.given_up = True
            if not error.is_absent:
                _log.warning("The status of %s cannot be written: %s", ref, error)
            return
        self._schedule(ref, entry)

    def _may_not(self, ref: ObjectRef, error: ApiError) -> None:
        """Wait with the whole kind; say so the first time."""
        if ref.kind not in self._forbidden:
            resource = resource_of(ref.kind)
            _log.warning(
                "Statuses of kind %s cannot be written: %s. Grant the operator patch on %s/status and get on %s (%s), "
                "or run it with --status=off.",
                ref.kind,
                str(error).rstrip("."),
                resource.plural,
                resource.plural,
                resource.group,
            )
        self._forbidden[ref.kind] = self._clock() + FORBIDDEN


def _back_off(failures: int) -> float:
    return min(_FIRST_RETRY * 2.0 ** min(failures - 1, 10), _LAST_RETRY)
