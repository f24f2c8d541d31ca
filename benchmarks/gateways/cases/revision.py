"""A new revision of many keys: how long a request waits for it at most, and how much memory the worker takes."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from benchmarks.gateways.cases.case import FORMS, NAMES
from benchmarks.gateways.figures import Spread
from benchmarks.gateways.load.caller import CallerError
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.peers.site import Size, token
from benchmarks.gateways.peers.wardgate import BundleFile
from benchmarks.gateways.process import Server, resident_kib
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage, python_module

KEYS: Final = 100_000
STALL: Final = 10.0
PEAKS: Final = {"none": 0, "1 %": 96, "all": 160}
"""MiB, by how many keys change."""
SHARES: Final = {"none": 0.0, "1 %": 0.01, "all": 1.0}
MOST_ROUNDS: Final = 3
LIMIT: Final = {"none": 1.0, "1 %": 30.0, "all": 30.0}
"""Seconds until a revision has to be in force; without one, for so long."""
SAMPLE_SECONDS: Final = 0.002
NEVER: Final = "never"
GROWTH: Final = "of it new"


@dataclass(frozen=True, slots=True)
class Sample:
    """``stall``: milliseconds by which the slowest request was slower than the median.

    ``peak`` is the worker's resident memory at most, ``growth`` how much of it was not there before, in MiB.
    """

    stall: float
    peak: float
    growth: float


@dataclass(frozen=True, slots=True)
class _Contender:
    form: str
    share: str
    file: BundleFile
    port: int
    running: Server
    versions: Iterator[int]

    def measure(self, stage: Stage) -> Sample:
        changed, version = int(SHARES[self.share] * KEYS), next(self.versions)
        if changed:
            self.file.prepare(changed=changed, version=version)
        text = token(0, version) if changed else NEVER
        (worker,) = self.running.workers
        before = resident_kib(worker)
        command = python_module("load.prober", self.port, text, LIMIT[self.share])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as prober:
            assert prober.stdout is not None
            prober.stdout.readline()
            if changed:
                self.file.put()
            peak = _peak_until_end(prober, worker)
            figures = json.loads(prober.stdout.read() or "{}")
        if prober.returncode or figures["seen"] != bool(changed):
            raise CallerError(f"{self.form}: the revision did not come into force, or a request failed.")
        return Sample(figures["worst"] - figures["median"], peak / 1024, (peak - before) / 1024)


def _peak_until_end(prober: subprocess.Popen[str], worker: int) -> int:
    """Return the largest resident memory of the worker, in KiB, while the prober runs."""
    peak = 0
    while prober.poll() is None:
        peak = max(peak, resident_kib(worker))
        time.sleep(SAMPLE_SECONDS)
    return peak


@dataclass(frozen=True, slots=True)
class RevisionCase:
    """See the module. All share all cores: the supervisor reads a revision while the worker carries requests."""

    name: str = "revision"
    title: str = f"a new revision of {KEYS:,} keys"
    tools: tuple[str, ...] = ()
    servers: tuple[str, ...] = FORMS

    def run(self, stage: Stage) -> Outcome:
        """Change one key in a hundred, all keys, and for comparison none, in turn."""
        with ExitStack() as stack:
            upstream = stage.event_source(stack)
            contenders = {
                f"{form}, {contender.share}": contender
                for form in stage.of(FORMS)
                for contender in _contenders(stage, stack, form, upstream)
            }
            samples = interleaved(
                tuple(contenders),
                min(stage.rounds, MOST_ROUNDS),
                lambda label: contenders[label].measure(stage),
                chance=stage.chance,
            )
        figures = tuple(figure for label, each in samples.items() for figure in _figures(contenders[label], each))
        return Outcome(
            self.name, self.title, figures, tuple(_compared(figure) for figure in figures if _has_goal(figure))
        )


def _contenders(stage: Stage, stack: ExitStack, form: str, upstream: int) -> Iterator[_Contender]:
    """Start a server for each share: memory that all keys once took is not given back before a few change."""
    for share in SHARES:
        site = replace(stage.site(upstream), size=Size(keys=KEYS))
        running = stage.serve(stack, form, site, cpus=stage.cores.every)
        yield _Contender(form, share, BundleFile(site), site.port, running, count(1))


def _figures(contender: _Contender, samples: list[Sample]) -> tuple[Figure, ...]:
    what = f"{contender.share} changed"
    return (
        Figure(f"stall, {what}", contender.form, "ms", Spread.of([sample.stall for sample in samples])),
        Figure(f"peak memory, {what}", contender.form, "MiB", Spread.of([sample.peak for sample in samples])),
        Figure(f"{GROWTH}, {what}", contender.form, "MiB", Spread.of([sample.growth for sample in samples])),
    )


def _has_goal(figure: Figure) -> bool:
    return not figure.measure.endswith("none changed") and not figure.measure.startswith(GROWTH)


def _compared(figure: Figure) -> Comparison:
    share = figure.measure.rpartition(", ")[2].removesuffix(" changed")
    goal = Goal(STALL) if figure.unit == "ms" else Goal(PEAKS[share], worst=True)
    return Comparison(f"{NAMES[figure.server]}: {figure.measure}", figure.unit, figure.spread, goal)


CASE: Final = RevisionCase()
