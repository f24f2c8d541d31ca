"""What a gateway adds to the time that one caller waits, who sends one request after the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from benchmarks.gateways.cases.case import FORMS, GATEWAYS, NAMES
from benchmarks.gateways.figures import Spread, differences
from benchmarks.gateways.load import scripts, wrk
from benchmarks.gateways.load.wrk import Burst
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage

DIRECT: Final = "direct"
BOUNDS: Final = {"p50": 0.30, "p99": 0.60}
"""Milliseconds."""


@dataclass(frozen=True, slots=True)
class LatencyCase:
    """See the module."""

    name: str = "latency"
    title: str = "added latency, one request at a time"
    tools: tuple[str, ...] = ("nginx", "wrk")
    servers: tuple[str, ...] = GATEWAYS

    def run(self, stage: Stage) -> Outcome:
        """Measure the ways through each gateway, and the direct one."""
        with ExitStack() as stack:
            upstream = stage.upstream(stack)
            sites = {server: stage.site(upstream.clear) for server in stage.of(self.servers)}
            for server, site in sites.items():
                stage.serve(stack, server, site)

            def measure(way: str) -> Burst:
                port = upstream.clear if way == DIRECT else sites[way].port
                script = scripts.same(path="/v1/chat", direct=True) if way == DIRECT else scripts.same()
                url = f"http://127.0.0.1:{port}"
                return wrk.burst(url, script, connections=1, seconds=stage.seconds, cpus=stage.cores.load)

            ways = (DIRECT, *sites)
            for way in ways:
                measure(way)
            samples = interleaved(ways, stage.rounds, measure, chance=stage.chance)
        return Outcome(self.name, self.title, _figures(samples), _added(samples))


def _milliseconds(bursts: list[Burst], share: str) -> list[float]:
    return [(burst.p50 if share == "p50" else burst.p99) / 1000 for burst in bursts]


def _figures(samples: dict[str, list[Burst]]) -> tuple[Figure, ...]:
    return tuple(
        Figure(f"{share} of a request", way, "ms", Spread.of(_milliseconds(bursts, share)))
        for share in BOUNDS
        for way, bursts in samples.items()
    )


def _added(samples: dict[str, list[Burst]]) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(
            f"{NAMES[form]}: added at {share}",
            "ms",
            Spread.of(differences(_milliseconds(samples[form], share), _milliseconds(samples[DIRECT], share))),
            Goal(bound),
        )
        for form in FORMS
        if form in samples
        for share, bound in BOUNDS.items()
    )


CASE: Final = LatencyCase()
