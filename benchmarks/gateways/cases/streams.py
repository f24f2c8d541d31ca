"""Event streams: how much later an event arrives by way of a gateway."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from benchmarks.gateways.cases.case import GATEWAYS
from benchmarks.gateways.cases.delays import DIRECT, Delays, added, figures
from benchmarks.gateways.load.caller import CallerError
from benchmarks.gateways.outcome import Outcome
from benchmarks.gateways.process import pinned
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage, python_module

STREAMS: Final = 100
EVENTS_A_SECOND: Final = 20.0
BOUNDS: Final = {"p50": 0.3, "p99": 2.0}
"""Milliseconds."""
MOST_ROUNDS: Final = 3
LEAST_SECONDS: Final = 2
GRACE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class StreamsCase:
    """See the module."""

    name: str = "streams"
    title: str = f"SSE, {STREAMS} streams of {EVENTS_A_SECOND:g} events a second"
    tools: tuple[str, ...] = ()
    servers: tuple[str, ...] = GATEWAYS

    def run(self, stage: Stage) -> Outcome:
        """Measure the ways through each gateway, and the direct one."""
        with ExitStack() as stack:
            source = stage.event_source(stack, events_a_second=EVENTS_A_SECOND)
            sites = {server: stage.site(source) for server in stage.of(self.servers)}
            for server, site in sites.items():
                stage.serve(stack, server, site)

            def measure(way: str) -> Delays:
                port, path = (source, "/v1/events") if way == DIRECT else (sites[way].port, "/t0/events")
                return _listened(stage, port, path)

            rounds = min(stage.rounds, MOST_ROUNDS)
            samples = interleaved((DIRECT, *sites), rounds, measure, chance=stage.chance)
        return Outcome(self.name, self.title, figures("an event", samples, BOUNDS), added(samples, BOUNDS))


def _listened(stage: Stage, port: int, path: str) -> Delays:
    seconds = max(LEAST_SECONDS, stage.seconds)
    command = [*pinned(stage.cores.load), *python_module("load.event_listener", port, path, STREAMS, seconds)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS, check=False)
    if ended.returncode:
        raise CallerError(f"The listener to {path} failed: {ended.stderr.strip()[-300:]}")
    delays: dict[str, float] = json.loads(ended.stdout)
    return delays


CASE: Final = StreamsCase()
