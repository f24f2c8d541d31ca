"""Samples and what is said of them: the median, the lowest and the highest; ratios and differences round by round."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import sub, truediv
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the rounds of one figure."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Spread:
        """Raises ``ValueError`` where there is no sample."""
        if not samples:
            msg = "There is no sample."
            raise ValueError(msg)
        return cls(median(samples), min(samples), max(samples))


def ratios(samples: Sequence[float], others: Sequence[float]) -> list[float]:
    """Divide each sample by the other one of its round."""
    return _paired(truediv, samples, others)


def differences(samples: Sequence[float], others: Sequence[float]) -> list[float]:
    """Subtract from each sample the other one of its round."""
    return _paired(sub, samples, others)


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that is not exceeded by ``share`` (0 to 1) of all: the nearest rank."""
    ranked = sorted(samples)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def usd_per_million(cpu_microseconds: float, memory_gib: float) -> float:
    """Price a million requests on one busy vCPU at 0.04 USD an hour, with its memory at 0.005 a GB-hour.

    ``cpu_microseconds`` is what one request takes, so a million of them take as many seconds.
    """
    hours = cpu_microseconds / 3600
    return hours * (0.04 + 0.005 * memory_gib * 1024**3 / 1e9)


def _paired(
    operation: Callable[[float, float], float], samples: Sequence[float], others: Sequence[float]
) -> list[float]:
    return [operation(sample, other) for sample, other in zip(samples, others, strict=True)]
