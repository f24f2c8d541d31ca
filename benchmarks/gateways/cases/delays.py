"""Delays on the way through each gateway beside those of the direct way: the form of two cases' outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from benchmarks.gateways.cases.case import FORMS, NAMES
from benchmarks.gateways.figures import Spread, differences
from benchmarks.gateways.outcome import Comparison, Figure, Goal

DIRECT: Final = "direct"
Delays: TypeAlias = Mapping[str, float]
"""Milliseconds of one burst at ``p50`` and ``p99``."""


def figures(what: str, samples: Mapping[str, Sequence[Delays]], bounds: Delays) -> tuple[Figure, ...]:
    """Return the delays of ``what``, such as a request, on each way."""
    return tuple(
        Figure(f"{share} of {what}", way, "ms", Spread.of(_at(share, each)))
        for share in bounds
        for way, each in samples.items()
    )


def added(samples: Mapping[str, Sequence[Delays]], bounds: Delays) -> tuple[Comparison, ...]:
    """Compare what each form of Wardgate adds to the direct way of the same round with the bounds."""
    return tuple(
        Comparison(
            f"{NAMES[form]}: added at {share}",
            "ms",
            Spread.of(differences(_at(share, samples[form]), _at(share, samples[DIRECT]))),
            Goal(bound),
        )
        for form in FORMS
        if form in samples
        for share, bound in bounds.items()
    )


def _at(share: str, samples: Sequence[Delays]) -> list[float]:
    return [sample[share] for sample in samples]
