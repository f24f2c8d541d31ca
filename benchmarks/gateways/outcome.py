"""The outcome of a case: figures of servers, and comparisons with their goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.gateways.figures import Spread


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the median of the rounds, or with ``worst`` on their highest value."""

    bound: float
    side: Literal["at most", "at least"] = "at most"
    worst: bool = False

    def is_met_by(self, spread: Spread) -> bool:
        """Return whether a comparison holds the bound."""
        value = self.judged(spread)
        return value <= self.bound if self.side == "at most" else value >= self.bound

    def judged(self, spread: Spread) -> float:
        """Return the value that counts."""
        return spread.highest if self.worst else spread.median


@dataclass(frozen=True, slots=True)
class Figure:
    """One server's own figure. ``measure`` says of what, such as ``CPU a request``."""

    measure: str
    server: str
    unit: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure that has a goal, such as the ratio of two servers' figures. ``unit`` is empty for a ratio."""

    what: str
    unit: str
    spread: Spread
    goal: Goal


@dataclass(frozen=True, slots=True)
class Outcome:
    """``failure`` is a sentence where the case could not be measured; ``notes`` are sentences for the report."""

    case: str
    title: str
    figures: tuple[Figure, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str = ""
