"""A million requests: whether memory stays flat, and what they cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Final

from benchmarks.gateways.cases.case import FORMS, GATEWAYS, NAMES
from benchmarks.gateways.figures import Spread, usd_per_million
from benchmarks.gateways.load import scripts, wrk
from benchmarks.gateways.load.wrk import LoadError
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.rounds import say
from benchmarks.gateways.stage import Stage

CONNECTIONS: Final = 64
BURST_SECONDS: Final = 5
MOST_SECONDS: Final = 180.0
"""For the requests to one server, which take a quarter of that on a quiet machine."""
PEERS_PART: Final = 10
"""Peers are only priced, so they get one in ten of the requests."""
FLAT: Final = 1.0
"""MiB by which memory may grow in the second half of the requests."""


@dataclass(frozen=True, slots=True)
class Total:
    """Processor time in microseconds a request; resident memory of all processes at the end, in MiB.

    ``growth``: that of the processes that carry requests, in the second half of them.
    """

    microseconds: float
    resident: float
    growth: float


@dataclass(frozen=True, slots=True)
class MillionCase:
    """See the module."""

    name: str = "million"
    title: str = "10^6 requests of the case post"
    tools: tuple[str, ...] = ("nginx", "wrk")
    servers: tuple[str, ...] = GATEWAYS

    def run(self, stage: Stage) -> Outcome:
        """Measure one server after the other."""
        totals = {server: _total(stage, server) for server in stage.of(self.servers)}
        figures = [figure for server, total in totals.items() for figure in _figures(server, total)]
        comparisons = (
            Comparison(
                f"{NAMES[form]}: growth of memory in the second half",
                "MiB",
                Spread.of([totals[form].growth]),
                Goal(FLAT),
            )
            for form in stage.of(FORMS)
        )
        notes = (
            f"{stage.requests:,} requests to each form of Wardgate, a tenth of them to each peer.",
            "USD at 0.04 a vCPU-hour and 0.005 a GB-hour, on a core that is always busy.",
        )
        return Outcome(self.name, self.title, tuple(figures), tuple(comparisons), notes)


def _total(stage: Stage, server: str) -> Total:
    requests = stage.requests if server in FORMS else max(1, stage.requests // PEERS_PART)
    with ExitStack() as stack:
        site = stage.site(stage.upstream(stack).clear)
        running = stage.serve(stack, server, site)
        url = f"http://127.0.0.1:{site.port}"

        def burst(number: int) -> int:
            script = scripts.differing(number)
            cpus = stage.cores.load
            return wrk.burst(url, script, connections=CONNECTIONS, seconds=BURST_SECONDS, cpus=cpus).requests

        before = running.cpu_seconds()
        done, half = carried(requests, burst, resident=running.resident_kib, clock=time.monotonic)
        growth = running.resident_kib() - half
        spent = running.cpu_seconds() - before
        return Total(spent / done * 1e6, running.whole_resident_kib() / 1024, growth / 1024)


def carried(
    requests: int, burst: Callable[[int], int], *, resident: Callable[[], int], clock: Callable[[], float]
) -> tuple[int, int]:
    """Send bursts until so many requests were answered; return how many were, and the memory when half of them were.

    Raises ``LoadError`` where that takes more than ``MOST_SECONDS``.
    """
    done, half, deadline = 0, 0, clock() + MOST_SECONDS
    for number in count(1):
        done += burst(number)
        say(f"    {done:,} of {requests:,}; {resident():,} KiB")
        if not half and done >= requests // 2:
            half = resident()
        if done >= requests:
            break
        if clock() >= deadline:
            raise LoadError(f"{done:,} of {requests:,} requests in {MOST_SECONDS:.0f} s. Ask for fewer: --requests.")
    return done, half


def _figures(server: str, total: Total) -> tuple[Figure, ...]:
    usd = usd_per_million(total.microseconds, total.resident / 1024)
    return (
        Figure("CPU a request", server, "µs", Spread.of([total.microseconds])),
        Figure("resident memory", server, "MiB", Spread.of([total.resident])),
        Figure("price of a million", server, "USD", Spread.of([usd])),
    )


CASE: Final = MillionCase()
