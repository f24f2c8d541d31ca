"""Cases of throughput: the processor time of a request, of all processes of a gateway, in user and kernel mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

from benchmarks.gateways.cases import profile
from benchmarks.gateways.cases.case import FORMS, GATEWAYS, NAMES
from benchmarks.gateways.figures import Spread, ratios
from benchmarks.gateways.load import wrk
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.peers.site import ONE, Site, Size
from benchmarks.gateways.process import Server
from benchmarks.gateways.rounds import interleaved
from benchmarks.gateways.stage import Stage, Upstream

CONNECTIONS = 64
BUSY = 0.6
"""A gateway whose core was busy for a smaller part of a burst waited for the load or the upstream."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One load on one site. ``script`` gets the number of the burst, so that no two send the same.

    ``access_log``: the gateway keeps one, which is read through a pipe.
    """

    script: Callable[[int], str]
    name: str = ""
    all_refused: bool = False
    size: Size = ONE
    access_log: bool = False


@dataclass(frozen=True, slots=True)
class Versus:
    """The ratio of a server's figure to that of another, or to its own in another variant."""

    server: str
    other: str
    bound: float
    variant: str = ""
    other_variant: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """``microseconds`` of processor time a request; ``busy``: the part of the burst for which a core was."""

    microseconds: float
    busy: float


@dataclass(frozen=True, slots=True)
class RequestsCase:
    """See the module. ``least_seconds`` of a burst: where its first moments are dear, such as TLS handshakes."""

    name: str
    title: str
    variants: tuple[Variant, ...]
    goals: tuple[Versus, ...]
    servers: tuple[str, ...] = GATEWAYS
    shaped: bool = False
    listener_tls: bool = False
    upstream_tls: bool = False
    least_seconds: int = 1
    tools: tuple[str, ...] = ("nginx", "wrk")

    def run(self, stage: Stage) -> Outcome:
        """Measure all contenders in turn; the first burst of each warms it up and does not count."""
        with ExitStack() as stack:
            contenders = self._contenders(stage, stack)
            numbers = iter(range(1, 1_000_000))

            def measure(label: str) -> Sample:
                return contenders[label].burst(stage, next(numbers), seconds=max(stage.seconds, self.least_seconds))

            for label in contenders:
                measure(label)
            samples = interleaved(tuple(contenders), stage.rounds, measure, chance=stage.chance)
            microseconds = {label: [one.microseconds for one in each] for label, each in samples.items()}
            compared = comparisons(self.goals, microseconds)
            profiles = self._profiles(stage, contenders, microseconds) if stage.profile else ()
        figures = tuple(_figure(contenders[label], each) for label, each in samples.items())
        return Outcome(self.name, self.title, figures, compared, (*idle(samples), *profiles))

    def _profiles(
        self, stage: Stage, contenders: Mapping[str, _Contender], samples: Mapping[str, Sequence[float]]
    ) -> tuple[str, ...]:
        """Profile what missed a goal, but for compiled code, which has no frames that py-spy knows."""
        missed = [goal for goal in self.goals if goal.server == "wardgate" and not _all_met(goal, samples)]
        labels = dict.fromkeys(label(goal.server, goal.variant) for goal in missed)
        return tuple(
            f"{name}, {profile.taken(stage, contenders[name].running, partial(contenders[name].burst, stage, 0))}"
            for name in labels
        )

    def _contenders(self, stage: Stage, stack: ExitStack) -> dict[str, _Contender]:
        upstream = stage.upstream(stack)
        running: dict[tuple[str, Size, bool], tuple[Site, Server]] = {}
        contenders = {}
        for variant in self.variants:
            for server in stage.of(self.servers):
                served = server, variant.size, variant.access_log
                if served not in running:
                    site = self._site(stage, upstream, variant)
                    running[served] = site, stage.serve(stack, server, site)
                contenders[label(server, variant.name)] = _Contender(server, variant, *running[served])
        return contenders

    def _site(self, stage: Stage, upstream: Upstream, variant: Variant) -> Site:
        return replace(
            stage.site(upstream.tls if self.upstream_tls else upstream.clear),
            shaped=self.shaped,
            access_log=variant.access_log,
            certificate=stage.certificate if self.listener_tls else None,
            upstream_tls=stage.certificate if self.upstream_tls else None,
            size=variant.size,
        )


@dataclass(frozen=True, slots=True)
class _Contender:
    server: str
    variant: Variant
    site: Site
    running: Server

    def burst(self, stage: Stage, number: int, *, seconds: int) -> Sample:
        before = self.running.cpu_seconds()
        done = wrk.burst(
            f"{self.site.scheme}://127.0.0.1:{self.site.port}",
            self.variant.script(number),
            connections=CONNECTIONS,
            seconds=seconds,
            cpus=stage.cores.load,
            all_refused=self.variant.all_refused,
        )
        spent = self.running.cpu_seconds() - before
        return Sample(spent / done.requests * 1e6, spent / (done.microseconds / 1e6))


def label(server: str, variant: str) -> str:
    """Name a contender."""
    return f"{server}, {variant}" if variant else server


def own(bound: float, variant: str, other_variant: str) -> tuple[Versus, ...]:
    """Compare both forms of Wardgate with themselves in another variant."""
    return tuple(Versus(form, form, bound, variant, other_variant) for form in FORMS)


def both(bound: float) -> tuple[Versus, ...]:
    """Compare both forms of Wardgate with Envoy."""
    return tuple(Versus(form, "envoy", bound) for form in FORMS)


def _all_met(goal: Versus, samples: Mapping[str, Sequence[float]]) -> bool:
    return all(one.goal.is_met_by(one.spread) for one in comparisons((goal,), samples))


def comparisons(goals: Sequence[Versus], samples: Mapping[str, Sequence[float]]) -> tuple[Comparison, ...]:
    """Compare contenders round by round; a goal whose contenders did not both take part is left out."""
    return tuple(
        _compared(goal, samples)
        for goal in goals
        if {label(goal.server, goal.variant), label(goal.other, goal.other_variant)} <= samples.keys()
    )


def idle(samples: Mapping[str, Sequence[Sample]]) -> tuple[str, ...]:
    """Tell which gateways waited for the load, the upstream or others."""
    busy = {label: Spread.of([one.busy for one in each]).median for label, each in samples.items()}
    waiting = ", ".join(f"{label} {share:.0%}" for label, share in busy.items() if share < BUSY)
    limit = "the load, the upstream or others were the limit; the gateway's core was busy for"
    return (f"{limit} {waiting}.",) if waiting else ()


def _compared(goal: Versus, samples: Mapping[str, Sequence[float]]) -> Comparison:
    over, under = label(goal.server, goal.variant), label(goal.other, goal.other_variant)
    what = f"{NAMES[goal.server]} / {NAMES[goal.other]}"
    if goal.server == goal.other:
        what = f"{NAMES[goal.server]}: {goal.variant} / {goal.other_variant}"
    return Comparison(what, "", Spread.of(ratios(samples[over], samples[under])), Goal(goal.bound))


def _figure(contender: _Contender, samples: Sequence[Sample]) -> Figure:
    name = contender.variant.name
    measure = f"CPU a request, {name}" if name else "CPU a request"
    return Figure(measure, contender.server, "µs", Spread.of([one.microseconds for one in samples]))
