"""What a published round leaves to do: judge every object, report the verdicts, remember the last good forms.

It is done a moment later, of the newest round alone, and beside the rounds: a revocation waits neither for verdicts nor
for the state Secret, and while changes come thick and fast only the last of them is accounted for. What fails is tried
again, with whatever is newest by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from wardgate.control.fitting import Fitted
from wardgate.control.metrics import Metrics
from wardgate.faults import place_of
from wardgate.ir import GatewayConfig
from wardgate.kube.api.errors import KubeError
from wardgate.kube.api.pacing import Backoff, Timing
from wardgate.kube.last_good.state_store import StateStore
from wardgate.kube.lead.fence import Deposed
from wardgate.translate.pipeline import Translation
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.statuses.object_status import Statuses

Report: TypeAlias = Callable[[Statuses, GatewayConfig, int], None]
"""Gets what is in force, with its sequence."""

MOMENT: Final = 0.1
"""Seconds from a round to its accounts: the proxies take the revision first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedRound:
    """What was published with ``sequence``, or found published already."""

    translation: Translation
    fitted: Fitted
    sequence: int


class DeferredWork:
    """``deposed`` is called when the state shows that another replica writes it."""

    def __init__(
        self,
        *,
        state: StateStore,
        report: Report,
        metrics: Metrics,
        deposed: Callable[[Deposed], None],
        timing: Timing,
    ) -> None:
        self._state = state
        self._report = report
        self._metrics = metrics
        self._deposed = deposed
        self._sleep = timing.sleep
        self._backoff = Backoff(timing.random)
        self._newest: PublishedRound | None = None
        self._open = asyncio.Event()
        self._at_work = asyncio.Lock()

    async def begin(self) -> LastGood:
        """A new leader: read what was good. Raises ``KubeError``."""
        self.end()
        async with self._at_work:
            last_good = await self._state.load()
        if self._state.problem:
            _log.warning("%s", self._state.problem)
        return last_good

    def take(self, done: PublishedRound) -> None:
        """Account for this round soon, in place of those before it."""
        self._newest = done
        self._open.set()

    def end(self) -> None:
        """Another replica leads: account for nothing any more."""
        self._newest = None
        self._open.clear()

    async def run(self) -> NoReturn:
        """Account for round after round until cancelled."""
        while True:
            await self._open.wait()
            await self._sleep(MOMENT)
            async with self._at_work:
                is_done = await self._try_newest()
            if is_done:
                self._backoff.reset()
            else:
                await self._sleep(self._backoff.next())

    async def _try_newest(self) -> bool:
        """Account for the newest round; False: it failed and is left open."""
        self._open.clear()
        done = self._newest
        if done is None:
            return True
        try:
            await self._account_for(done)
        except Deposed as error:
            self._deposed(error)
            return True
        except KubeError as error:
            _log.warning("The last good forms could not be remembered and will be again: %s", error)
        except Exception as error:  # noqa: BLE001 - statuses and memory must outlive whatever one round runs into
            self._metrics.internal_errors += 1
            _log.error(
                "Internal error (%s) after a config was published: its statuses wait. Please report this as a bug of "
                "Wardgate.",
                place_of(error),
            )
        else:
            return True
        if self._newest is not None:
            self._open.set()
        return False

    async def _account_for(self, done: PublishedRound) -> None:
        translation = done.translation
        statuses, last_good = await asyncio.to_thread(
            lambda: (done.fitted.judged(translation.statuses), translation.last_good)
        )
        if self._newest is None:
            return  # another replica leads by now
        self._report(statuses, done.fitted.config, done.sequence)
        before = self._state.left_out
        await self._state.save(last_good)
        for ref in sorted(set(self._state.left_out) - set(before)):
            _log.warning("%s is too large to be remembered: after a restart it has no last good form.", ref)
