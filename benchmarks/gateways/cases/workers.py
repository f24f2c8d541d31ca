"""Two workers beside one: how many requests their processor time is good for.

Load and gateway share the cores, so the rate of requests says nothing. A worker's capacity is what it does in a second
of processor time, and two workers have two cores: twice one is all that can come out, and less where a request takes
more of a worker that has another one beside it.

One worker has as many connections as both together. They are no more than it keeps to an upstream: above
``limits.pool_idle`` nearly each request would open a connection, which takes more than the request and would be
the fault of one worker alone.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.gateways.cases.case import FORMS, NAMES
from benchmarks.gateways.figures import Spread, ratios
from benchmarks.gateways.load import scripts, wrk
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.process import Server, cpu_seconds
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage
from wardgate.proxy.settings import Limits

CONNECTIONS: Final = Limits().pool_idle


@dataclass(frozen=True, slots=True)
class WorkersCase:
    """See the module."""

    name: str = "workers"
    title: str = "two workers on two cores"
    tools: tuple[str, ...] = ("nginx", "wrk")
    servers: tuple[str, ...] = FORMS

    def run(self, stage: Stage) -> Outcome:
        """Measure each form with one worker and with two, in turn."""
        with ExitStack() as stack:
            upstream = stage.upstream(stack)
            running = {
                (form, workers): stage.serve(
                    stack, form, replace(stage.site(upstream.clear), workers=workers), cpus=stage.cores.every
                )
                for form in stage.of(FORMS)
                for workers in (1, 2)
            }
            labels = {f"{form}, {workers}": server for (form, workers), server in running.items()}
            for server in running.values():
                _capacity(stage, server)  # opens the connections to the upstream, and does not count
            samples = interleaved(
                tuple(labels), stage.rounds, lambda label: _capacity(stage, labels[label]), chance=stage.chance
            )
        figures = tuple(
            Figure(f"capacity, {workers} workers", form, "requests/s", Spread.of(samples[f"{form}, {workers}"]))
            for form, workers in running
        )
        comparisons = tuple(
            Comparison(
                f"{NAMES[form]}: two / one",
                "",
                Spread.of(ratios(samples[f"{form}, 2"], samples[f"{form}, 1"])),
                Goal(1.8, "at least"),
            )
            for form in stage.of(FORMS)
        )
        return Outcome(self.name, self.title, figures, comparisons)


def _capacity(stage: Stage, server: Server) -> float:
    """Return the requests that all workers do in a second of processor time of each."""
    before = {worker: cpu_seconds(worker) for worker in server.workers}
    url = f"http://127.0.0.1:{server.port}"
    done = wrk.burst(url, scripts.same(), connections=CONNECTIONS, seconds=stage.seconds, cpus=stage.cores.every)
    spent = [cpu_seconds(worker) - begun for worker, begun in before.items()]
    return len(spent) * done.requests / sum(spent)


CASE: Final = WorkersCase()
