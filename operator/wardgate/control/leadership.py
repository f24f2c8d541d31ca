"""The one place that knows whether this replica leads: the present term, made when the Lease is won.

A term begins by taking over, which is tried again while it fails, and lasts until the Lease is lost or a write shows
that another replica writes. In the second case the Lease is still ours, so another term begins at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from wardgate.kube.api.pacing import Timing
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.lease import Lease
from wardgate.kube.lead.term import Part, Term

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Duties:
    """The work of one term: first ``take_over``, then all ``parts`` side by side."""

    take_over: Callable[[], Awaitable[None]]
    parts: Mapping[str, Part]


class Leadership:
    """``duties`` makes everything that lives in a term; ``identity`` names this replica."""

    def __init__(self, lease: Lease, *, identity: str, duties: Callable[[Term], Duties], timing: Timing) -> None:
        self._lease = lease
        self._identity = identity
        self._duties = duties
        self._now = timing.now
        self._term: Term | None = None
        self._failure: asyncio.Future[Exception] | None = None

    @property
    def takes_part(self) -> bool:
        """Whether a term has begun and goes on, be it that it still takes over."""
        return self._term is not None and not self._term.is_over

    @property
    def is_leading(self) -> bool:
        """Whether this replica has taken over, and writes."""
        return self._term is not None and self._term.is_leading

    async def run(self) -> NoReturn:
        """Take part in the election until cancelled; then set the Lease free. Raises what a part fails with."""
        self._failure = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lease.run(self.lead), name="election")
                raise await self._failure
        finally:
            # Only now, when nothing of a term is left that could write.
            await self._lease.release()

    async def lead(self) -> NoReturn:
        """Serve one term after another. Raises what keeps this replica from taking over."""
        while True:
            self._term = term = Term(self._identity, began=self._now())
            try:
                duties = self._duties(term)
                await duties.take_over()
                await self._serve(term, duties.parts)
            finally:
                term.end()

    async def _serve(self, term: Term, parts: Mapping[str, Part]) -> None:
        try:
            await term.run(parts)
        except Deposed as error:
            _log.warning("%s This replica holds the Lease and takes over again.", error)
        except Exception as error:
            if self._failure is None:
                raise
            # Not for the Lease to try again: as in any other part of the operator, a bug ends the process.
            self._failure.set_result(error)
            await asyncio.Event().wait()
