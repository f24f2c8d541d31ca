"""The report: one Markdown block to put into a document, or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from benchmarks.gateways.figures import Spread
from benchmarks.gateways.outcome import Comparison, Figure, Outcome

SERVERS = ("wardgate", "compiled", "envoy", "haproxy", "nginx", "direct")
"""The columns, in their order; one without a figure is left out."""


def markdown(outcomes: Sequence[Outcome], machine: Sequence[str]) -> str:
    """Write the goals, the figures behind them, and the machine."""
    parts = ["\n".join(f"* {line}" for line in machine), _goals(outcomes), _figures(outcomes), _notes(outcomes)]
    return "\n\n".join(part for part in parts if part)


def to_json(outcomes: Sequence[Outcome], machine: Sequence[str]) -> str:
    """Write everything that was measured, and whether each goal is met."""
    written = []
    for outcome in outcomes:
        content = asdict(outcome)
        for comparison, entry in zip(outcome.comparisons, content["comparisons"], strict=True):
            entry["met"] = comparison.goal.is_met_by(comparison.spread)
        written.append(content)
    return json.dumps({"machine": list(machine), "cases": written}, indent=2)


def shown(value: float) -> str:
    """Write three significant digits or all before the point, and no exponent."""
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _goals(outcomes: Sequence[Outcome]) -> str:
    rows = [row for outcome in outcomes for row in _goal_rows(outcome)]
    return _table(("case", "figure", "goal", "median (lowest to highest)", "met"), rows) if rows else ""


def _goal_rows(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    if outcome.failure:
        yield outcome.title, "not measured", "", outcome.failure, "**no**"
    for comparison in outcome.comparisons:
        met = "yes" if comparison.goal.is_met_by(comparison.spread) else "**no**"
        yield outcome.title, comparison.what, _bound(comparison), _measured(comparison.spread, comparison.unit), met


def _bound(comparison: Comparison) -> str:
    sign = "≤" if comparison.goal.side == "at most" else "≥"
    of = ", highest" if comparison.goal.worst else ""
    return f"{sign} {comparison.goal.bound:g}{_suffix(comparison.unit)}{of}"


def _measured(spread: Spread, unit: str) -> str:
    return f"{shown(spread.median)}{_suffix(unit)} ({shown(spread.lowest)} to {shown(spread.highest)})"


def _figures(outcomes: Sequence[Outcome]) -> str:
    every = [figure for outcome in outcomes for figure in outcome.figures]
    columns = [server for server in SERVERS if any(figure.server == server for figure in every)]
    rows = [row for outcome in outcomes for row in _figure_rows(outcome, columns)]
    return _table(("case", "medians", *columns), rows) if rows else ""


def _figure_rows(outcome: Outcome, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for measure, unit in dict.fromkeys((figure.measure, figure.unit) for figure in outcome.figures):
        own = {figure.server: figure for figure in outcome.figures if (figure.measure, figure.unit) == (measure, unit)}
        title = f"{measure}, {unit}" if unit else measure
        yield outcome.title, title, *(_cell(own.get(server)) for server in columns)


def _cell(figure: Figure | None) -> str:
    return "" if figure is None else shown(figure.spread.median)


def _notes(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(f"* {outcome.title}: {note}" for outcome in outcomes for note in outcome.notes)


def _suffix(unit: str) -> str:
    return f" {unit}" if unit else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])
