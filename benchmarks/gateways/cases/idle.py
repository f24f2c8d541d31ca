"""Memory of connections that have sent a request and wait for nothing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from benchmarks.gateways.cases.case import FORMS, GATEWAYS, NAMES
from benchmarks.gateways.figures import Spread
from benchmarks.gateways.load.caller import Caller
from benchmarks.gateways.machine import allow_files
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage

CONNECTIONS: Final = 1_000
FIRST: Final = 1_000
"""Connections that are there before, and use up what a start left free."""
MOST_ROUNDS: Final = 2
"""Each round starts the server anew, because memory that was taken once is not given back; rounds hardly differ."""


@dataclass(frozen=True, slots=True)
class IdleCase:
    """See the module."""

    name: str = "idle"
    title: str = f"{CONNECTIONS:,} idle connections beside as many"
    tools: tuple[str, ...] = ()
    servers: tuple[str, ...] = GATEWAYS

    def run(self, stage: Stage) -> Outcome:
        """Measure a fresh server in each round."""
        allow_files(2 * (FIRST + CONNECTIONS))
        with ExitStack() as stack:
            upstream = stage.event_source(stack)
            samples = interleaved(
                stage.of(self.servers),
                min(stage.rounds, MOST_ROUNDS),
                lambda server: _kib_each(stage, server, upstream),
                chance=stage.chance,
            )
        spreads = {server: Spread.of(each) for server, each in samples.items()}
        figures = (Figure("memory of each", server, "KiB", spread) for server, spread in spreads.items())
        comparisons = (
            Comparison(f"{NAMES[form]}: memory of each", "KiB", spreads[form], Goal(12)) for form in stage.of(FORMS)
        )
        return Outcome(self.name, self.title, tuple(figures), tuple(comparisons))


def _kib_each(stage: Stage, server: str, upstream: int) -> float:
    site = stage.site(upstream)
    with ExitStack() as stack:
        running = stage.serve(stack, server, site)
        _connect(stack, site.port, FIRST)
        before = running.resident_kib()
        _connect(stack, site.port, CONNECTIONS)
        return (running.resident_kib() - before) / CONNECTIONS


def _connect(stack: ExitStack, port: int, count: int) -> None:
    """Open connections, each of which sends one request and then waits."""
    for _ in range(count):
        caller = Caller(port)
        stack.callback(caller.close)
        caller.get("/t0/chat")


CASE: Final = IdleCase()
