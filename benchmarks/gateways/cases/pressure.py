"""Callers who share a worker with others that press it: how long they wait, with them and without."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.gateways.cases.case import FORMS, NAMES
from benchmarks.gateways.figures import Spread, differences, ratios
from benchmarks.gateways.load import scripts, wrk
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage

INNOCENT: Final = 10
"""Connections of the callers whose waiting is measured, each with a request in about 10 ms: close to 1,000 a second."""
SECONDS: Final = 2
BODY_BYTES: Final = 500 * 1024
"""About 100,000 tokens."""
MOST_ROUNDS: Final = 3
LEAD: Final = 0.3
"""Seconds by which the pressure begins earlier."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """The load of the others: ``connections`` that run ``script``."""

    script: str
    connections: int
    all_refused: bool = False


@dataclass(frozen=True, slots=True)
class PressureCase:
    """``compare`` makes one number of the 99th percentiles of a round, with and without the pressure."""

    name: str
    title: str
    pressure: Pressure
    compare: Callable[[Sequence[float], Sequence[float]], list[float]]
    compared: str
    unit: str
    goal: Goal
    shaped: bool = False
    tools: tuple[str, ...] = ("nginx", "wrk")
    servers: tuple[str, ...] = FORMS

    def run(self, stage: Stage) -> Outcome:
        """Measure each form of Wardgate with and without the pressure, in turn."""
        with ExitStack() as stack:
            upstream = stage.upstream(stack)
            sites = {form: replace(stage.site(upstream.clear), shaped=self.shaped) for form in stage.of(self.servers)}
            for form, site in sites.items():
                stage.serve(stack, form, site)
            alone = {form: form for form in sites}
            pressed = {f"{form}, pressed": form for form in sites}

            def measure(label: str) -> float:
                if label in alone:
                    return _innocent(stage, sites[label].port)
                return self._under_pressure(stage, sites[pressed[label]].port)

            rounds = min(stage.rounds, MOST_ROUNDS)
            samples = interleaved((*alone, *pressed), rounds, measure, chance=stage.chance)
        pairs = {form: (samples[label], samples[form]) for label, form in pressed.items()}
        figures = tuple(figure for form, pair in pairs.items() for figure in _figures(form, *pair))
        comparisons = tuple(
            Comparison(f"{NAMES[form]}: p99, {self.compared}", self.unit, Spread.of(self.compare(*pair)), self.goal)
            for form, pair in pairs.items()
        )
        return Outcome(self.name, self.title, figures, comparisons)

    def _under_pressure(self, stage: Stage, port: int) -> float:
        pressure, url = self.pressure, f"http://127.0.0.1:{port}"
        with wrk.Load(
            url, pressure.script, connections=pressure.connections, seconds=SECONDS + 1, cpus=stage.cores.load
        ) as load:
            time.sleep(LEAD)
            p99 = _innocent(stage, port)
            load.result(all_refused=pressure.all_refused)
        return p99


def _innocent(stage: Stage, port: int) -> float:
    """Return the 99th percentile of the callers' waiting, in milliseconds."""
    script, url = scripts.paced(scripts.same(), 10), f"http://127.0.0.1:{port}"
    return wrk.burst(url, script, connections=INNOCENT, seconds=SECONDS, cpus=stage.cores.load).p99 / 1000


def _figures(form: str, pressed: Sequence[float], alone: Sequence[float]) -> tuple[Figure, Figure]:
    return (
        Figure("p99 without", form, "ms", Spread.of(alone)),
        Figure("p99 with", form, "ms", Spread.of(pressed)),
    )


FLOOD: Final = PressureCase(
    "key-flood",
    "1,000 requests a second while 9,000 with bad keys come",
    Pressure(scripts.paced(scripts.same(good=False), 10), connections=90, all_refused=True),
    ratios,
    "with / without",
    "",
    Goal(1.5),
)
LARGE_BODY: Final = PressureCase(
    "large-body",
    "1,000 requests a second while bodies of 500 KiB pass, one after another",
    Pressure(scripts.sized(BODY_BYTES), connections=1),
    differences,
    "with - without",
    "ms",
    Goal(5.0),
)
READ_BODY: Final = PressureCase(
    "large-body-read",
    "1,000 requests a second while bodies of 500 KiB are parsed and written anew, one after another",
    Pressure(scripts.reading(BODY_BYTES), connections=1),
    differences,
    "with - without",
    "ms",
    Goal(5.0),
    shaped=True,
)
CASES: Final = (FLOOD, LARGE_BODY, READ_BODY)
