"""The work that a published round defers: judging every object, reporting the verdicts, remembering last good forms.

It is done a moment later, of the newest round alone, and beside the rounds: a revocation waits neither for verdicts nor
for the state Secret, and while changes come thick and fast only the last of them is accounted for. Work that fails is
tried again, with whatever is newest by then.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final, NoReturn, Protocol

from wardgate.control.held_back import held_back
from wardgate.control.metrics import Metrics
from wardgate.control.size_limit import Publishable
from wardgate.faults import place_of
from wardgate.ir import GatewayConfig
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.term import Term
from wardgate.translate.pipeline import Translation
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import Statuses

MOMENT: Final = 0.1
"""Seconds from a round to its accounts: the proxies take the revision first."""

DEPOSED: Final = "%s This replica stops writing until it has taken over again."
"""Logged by whoever runs into the write of another replica."""

_log = logging.getLogger(__name__)


class Report(Protocol):
    """Gets what is in force."""

    def __call__(self, statuses: Statuses, config: GatewayConfig, *, sequence: int) -> None:
        """Report the verdicts on what ``sequence`` published."""
        ...


@dataclass(frozen=True, slots=True)
class PublishedRound:
    """A round that was published with ``sequence``, or found published already.

    ``accepted``: where not all of the translation was published, what was good when all of one was.
    """

    translation: Translation
    published: Publishable
    sequence: int
    accepted: LastGood | None = None

    def judged(self) -> tuple[Statuses, LastGood]:
        """The verdicts to report, and the forms to remember. It takes a moment."""
        statuses, good = self.translation.statuses, self.translation.last_good
        if self.published.excess is None or self.accepted is None:
            return statuses, good
        told = held_back(statuses, good=good, accepted=self.accepted, excess=self.published.excess)
        return told, self.accepted


class DeferredWork:
    """The deferred work of the rounds of one term. Owned by one event loop."""

    def __init__(self, term: Term, *, state: StateStore, report: Report, metrics: Metrics, timing: Timing) -> None:
        self._term = term
        self._state = state
        self._report = report
        self._metrics = metrics
        self._sleep = timing.sleep
        self._backoff = Backoff(timing.random)
        self._newest: PublishedRound | None = None
        self._open = asyncio.Event()

    async def begin(self) -> LastGood:
        """Read what was good before this term. Raises ``KubeError``."""
        last_good = await self._state.load()
        if self._state.problem:
            _log.warning("%s", self._state.problem)
        return last_good

    def take(self, done: PublishedRound) -> None:
        """Account for this round soon, in place of those before it."""
        self._newest = done
        self._open.set()

    async def run(self) -> NoReturn:
        """Account for round after round, until the term ends."""
        while True:
            await self._open.wait()
            await self._sleep(MOMENT)
            self._open.clear()
            if self._newest is not None and not await self._try(self._newest):
                self._open.set()
                await self._sleep(self._backoff.next())
            else:
                self._backoff.reset()

    async def _try(self, done: PublishedRound) -> bool:
        """Account for a round; False: it failed, and is to be tried again."""
        try:
            await self._account_for(done)
        except Deposed as error:
            # The term may have ended a moment ago for another cause, which is told elsewhere.
            if self._term.cause is error:
                _log.warning(DEPOSED, error)
        except KubeError as error:
            _log.warning("The last good forms could not be remembered and will be again: %s", error)
            return False
        except Exception as error:  # noqa: BLE001 - statuses and memory must outlive whatever one round runs into
            self._metrics.internal_errors += 1
            _log.error(
                "Internal error (%s) after a config was published: its statuses wait. Please report this as a bug of "
                "Wardgate.",
                place_of(error),
            )
            return False
        return True

    async def _account_for(self, done: PublishedRound) -> None:
        statuses, last_good = await asyncio.to_thread(done.judged)
        self._report(statuses, done.published.config, sequence=done.sequence)
        before = self._state.left_out
        await self._state.save(last_good)
        for ref in sorted(set(self._state.left_out) - set(before)):
            _log.warning("%s is too large to be remembered: after a restart it has no last good form.", ref)
