"""One config on its way to all workers: it is in force once a worker serves it, and refused where none can.

All workers get it at once. Those that die of it, or say nothing, tell nothing about the others, so a worker that comes
in their place is offered it alone, a few times. Until some worker serves it, successors begin with the config before:
a config that no worker survives costs the workers that tried it, and not the service.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final

from wardgate.proxy.worker_process import ConfigAnswer, WorkerProcess
from wardgate.wire.bundle import Bundle

_ATTEMPTS: Final = 3
"""Further workers that are offered a config which no worker has answered for."""
_START: Final = 30.0
"""Seconds in which some worker must have started, on a machine that has other things to do."""
_LOOK_EVERY: Final = 0.02
"""Seconds between two looks for a worker that has started."""


class ConfigRefused(Exception):
    """No worker serves the bundle; what was in force stays in force.

    ``again``: no worker said what is wrong with it, so another attempt may succeed.
    """

    def __init__(self, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.again = again


async def roll_out(bundle: Bundle, workers: Mapping[int, WorkerProcess], *, within: float) -> list[str]:
    """Put a bundle in force on the workers, each ``within`` seconds; return problems, but of those that refuse it.

    ``workers`` by number is the supervisor's, who replaces those that die meanwhile. Raises ``ConfigRefused``.
    ``catch_up`` follows.
    """
    outcomes = await _offer(bundle, workers.values(), within=within)
    for _ in range(_ATTEMPTS):
        if any(one.serves or one.refused for one in outcomes):
            break
        successor = await _next_started(workers)
        if successor is None:
            break
        outcomes.append(await successor.hand_over(bundle, within=within))
    if not any(one.serves for one in outcomes):
        raise _refusal(bundle, outcomes)
    return [problem for one in outcomes if not one.refused for problem in one.problems]


async def catch_up(bundle: Bundle, workers: Mapping[int, WorkerProcess], *, within: float) -> list[str]:
    """Offer a bundle that is in force to those that were started meanwhile, with the one before; return problems.

    Those that cannot serve it are offered it once more, whole, and end if they still cannot: nothing is wrong with the
    bundle, and in the one before stand keys that may be revoked.
    """
    revision = bundle.revision
    late = [each for each in workers.values() if each.offered != revision or each.refused == revision]
    outcomes = await _offer(bundle, late, within=within)
    for worker in late:
        if worker.refused == revision:
            worker.kill()
    return [problem for one in outcomes for problem in one.problems]


async def _offer(bundle: Bundle, workers: Iterable[WorkerProcess], *, within: float) -> list[ConfigAnswer]:
    return list(await asyncio.gather(*(worker.hand_over(bundle, within=within) for worker in workers)))


async def _next_started(workers: Mapping[int, WorkerProcess]) -> WorkerProcess | None:
    """Return a worker that takes orders, None where there is none for too long."""
    until = time.monotonic() + _START
    while time.monotonic() < until:
        for worker in workers.values():
            if worker.listens:
                return worker
        await asyncio.sleep(_LOOK_EVERY)
    return None


def _refusal(bundle: Bundle, outcomes: Iterable[ConfigAnswer]) -> ConfigRefused:
    told = list(outcomes)
    reasons = " ".join(dict.fromkeys(reason for one in told for reason in (*one.problems, one.ending) if reason))
    text = f"No worker serves the config {bundle.revision[:12]}. {reasons}".rstrip()
    return ConfigRefused(text, again=not any(one.refused for one in told))
