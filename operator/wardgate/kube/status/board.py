"""Brings together what each status is made of: verdicts, the sequence that first contained them, and the proxies.

Two things move a status: a round of the operator, and a proxy that took a revision. Both end here, and the statuses
that follow are handed to the writer as a whole. A board lasts for one term: only the leader reports.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from wardgate.ir import GatewayConfig
from wardgate.kube.status.key_expiry import NO_EXPIRIES, ExpiryIndex, KeyExpiries
from wardgate.kube.status.manifest import PROGRAMMED, Desired, Programming, is_accepted
from wardgate.kube.status.proxy_views import ProxyView, programming_at, unserved_gateways
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

LATE: Final = 5.0
"""Seconds after which a proxy that is still behind is named in statuses; until then it is on its way."""
_TOGETHER: Final = 0.02
"""Seconds in which what proxies tell is collected."""


class StatusSink(Protocol):
    """The part of ``StatusWriter`` that the board needs."""

    def submit(self, desired: Mapping[ObjectRef, Desired]) -> None:
        """Replace what is wanted."""
        ...


class ProxyObserver(Protocol):
    """The part of ``Proxies`` that the board needs."""

    @property
    def views(self) -> tuple[ProxyView, ...]:
        """All proxies."""
        ...

    def await_sequence(self, sequence: int) -> None:
        """Ask often until every proxy serves this."""
        ...


@dataclass(frozen=True, slots=True)
class _Contained:
    """Which form of an object it is, and the sequence that was the first to contain it, ``since`` when.

    A form that becomes right because something else changed is another one: before, it was in no sequence.
    """

    uid: str
    generation: int
    accepted: bool
    sequence: int
    since: float

    def is_still(self, other: _Contained) -> bool:
        """Whether this is the same form, and no later sequence than the one that is published now."""
        same = (self.uid, self.generation, self.accepted) == (other.uid, other.generation, other.accepted)
        return same and self.sequence <= other.sequence


class StatusBoard:
    """Owned by one event loop. ``clock`` is monotonic, in seconds."""

    def __init__(
        self,
        *,
        writer: StatusSink,
        proxies: ProxyObserver,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._writer = writer
        self._proxies = proxies
        self._clock = clock
        self._sleep = sleep
        self._expiry = ExpiryIndex()
        self._verdicts: tuple[ObjectStatus, ...] | None = None
        self._expiries: Mapping[ObjectRef, KeyExpiries] = {}
        self._contained: dict[ObjectRef, _Contained] = {}
        self._marked = asyncio.Event()

    def take(self, verdicts: Iterable[ObjectStatus], config: GatewayConfig, *, sequence: int) -> None:
        """Take a round that published ``sequence``, or found it published already."""
        self._verdicts = tuple(verdicts)
        self._expiries = self._expiry.of(config)
        now = self._clock()
        self._contained = {one.ref: self._first(one, sequence=sequence, now=now) for one in self._verdicts}
        self._proxies.await_sequence(max((one.sequence for one in self._contained.values()), default=0))
        self.mark()

    def mark(self) -> None:
        """A proxy has told something else: report anew, soon."""
        self._marked.set()

    async def run(self) -> None:
        """Report after every change, a few together, and again once proxies are late; for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LATE):
                    await self._marked.wait()
            await self._sleep(_TOGETHER)
            self._marked.clear()
            self.report()

    def report(self) -> None:
        """Hand the statuses to the writer, once there was a round to report of."""
        if self._verdicts is None:
            return
        views, now = self._proxies.views, self._clock()
        known: dict[tuple[int, bool], Programming] = {}
        unserved = unserved_gateways(views)
        desired: dict[ObjectRef, Desired] = {}
        for verdict in self._verdicts:
            contained = self._contained[verdict.ref]
            key = (contained.sequence, now - contained.since >= LATE)
            if key not in known:
                known[key] = programming_at(views, contained.sequence, late=key[1])
            programming = known[key]
            if programming is PROGRAMMED and verdict.ref.kind == "VirtualGateway":
                programming = unserved.get(f"{verdict.ref.namespace}/{verdict.ref.name}", programming)
            desired[verdict.ref] = Desired(verdict, programming, self._expiries.get(verdict.ref, NO_EXPIRIES))
        self._writer.submit(desired)

    def _first(self, verdict: ObjectStatus, *, sequence: int, now: float) -> _Contained:
        """The form of an object that is held, or the new form that this sequence is the first to contain."""
        new = _Contained(verdict.uid, verdict.generation, is_accepted(verdict), sequence, now)
        held = self._contained.get(verdict.ref)
        return held if held is not None and held.is_still(new) else new
