"""The block of Markdown, and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.gateways.figures import Spread
from benchmarks.gateways.machine import commit, described
from benchmarks.gateways.outcome import Comparison, Figure, Goal, Outcome
from benchmarks.gateways.report import markdown, shown, to_json

GET = Outcome(
    "get",
    "the same GET",
    figures=(
        Figure("CPU a request", "envoy", "µs", Spread(30.0, 28.0, 31.0)),
        Figure("CPU a request", "wardgate", "µs", Spread(19.5, 19.0, 21.0)),
        Figure("p99", "wardgate", "ms", Spread(0.25, 0.2, 0.3)),
    ),
    comparisons=(
        Comparison("Wardgate / Envoy", "", Spread(0.65, 0.6, 0.7), Goal(0.65)),
        Comparison("capacity", "requests/s", Spread(1234.5, 1000.0, 2000.0), Goal(2000, "at least")),
        Comparison("memory", "MiB", Spread(90.0, 80.0, 97.0), Goal(96, worst=True)),
    ),
    notes=("a note.",),
)
BROKEN = Outcome("post", "POSTs", failure="envoy does not listen.")


def test_the_block_has_the_machine_the_goals_the_figures_and_the_notes() -> None:
    expected = """\
* two cores

| case | figure | goal | median (lowest to highest) | met |
| --- | --- | --- | --- | --- |
| the same GET | Wardgate / Envoy | ≤ 0.65 | 0.650 (0.600 to 0.700) | yes |
| the same GET | capacity | ≥ 2000 requests/s | 1,234 requests/s (1,000 to 2,000) | **no** |
| the same GET | memory | ≤ 96 MiB, highest | 90.0 MiB (80.0 to 97.0) | **no** |
| POSTs | not measured |  | envoy does not listen. | **no** |

| case | medians | wardgate | envoy |
| --- | --- | --- | --- |
| the same GET | CPU a request, µs | 19.5 | 30.0 |
| the same GET | p99, ms | 0.250 |  |

* the same GET: a note."""

    assert expected == markdown([GET, BROKEN], ["two cores"])


def test_nothing_measured_leaves_the_machine() -> None:
    assert "* two cores" == markdown([], ["two cores"])


def test_json_has_every_spread_and_the_verdicts() -> None:
    content = json.loads(to_json([GET, BROKEN], ["two cores"]))

    assert ["two cores"] == content["machine"]
    assert [True, False, False] == [one["met"] for one in content["cases"][0]["comparisons"]]
    assert {"median": 19.5, "lowest": 19.0, "highest": 21.0} == content["cases"][0]["figures"][1]["spread"]
    assert "envoy does not listen." == content["cases"][1]["failure"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.000211, "0.000211"),
        (0.05, "0.0500"),
        (0.65, "0.650"),
        (1.1, "1.10"),
        (19.54, "19.5"),
        (234.5, "234"),
        (12345.6, "12,346"),
        (-3.21, "-3.21"),
    ],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert text == shown(value)


def test_where_git_knows_nothing_the_commit_is_unknown(tmp_path: Path) -> None:
    assert "unknown" == commit(tmp_path)


@pytest.mark.parametrize(("others", "quiet"), [(0.05, True), (0.06, False)])
def test_a_machine_that_was_not_quiet_is_said_so(*, others: float, quiet: bool) -> None:
    first, _, programs = described({"envoy": "1.40", "wrk": "4.1"}, others)

    assert quiet == ("not to be quoted" not in first)
    assert "envoy 1.40, wrk 4.1" == programs
