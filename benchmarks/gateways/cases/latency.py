"""What a gateway adds to the time that one caller waits, who sends one request after the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from benchmarks.gateways.cases.case import GATEWAYS
from benchmarks.gateways.cases.delays import DIRECT, Delays, added, figures
from benchmarks.gateways.load import scripts, wrk
from benchmarks.gateways.outcome import Outcome
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage

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

            def measure(way: str) -> Delays:
                port = upstream.clear if way == DIRECT else sites[way].port
                script = scripts.same(path="/v1/chat", direct=True) if way == DIRECT else scripts.same()
                url = f"http://127.0.0.1:{port}"
                burst = wrk.burst(url, script, connections=1, seconds=stage.seconds, cpus=stage.cores.load)
                return {"p50": burst.p50 / 1000, "p99": burst.p99 / 1000}

            ways = (DIRECT, *sites)
            for way in ways:
                measure(way)
            samples = interleaved(ways, stage.rounds, measure, chance=stage.chance)
        return Outcome(self.name, self.title, figures("a request", samples, BOUNDS), added(samples, BOUNDS))


CASE: Final = LatencyCase()
