"""What cases make of their samples, and what becomes of a case that fails."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError

import pytest

from benchmarks.gateways.__main__ import check_forms, measured, shortened
from benchmarks.gateways.cases.all import CASES
from benchmarks.gateways.cases.delays import added, figures
from benchmarks.gateways.cases.million import MOST_SECONDS, carried
from benchmarks.gateways.cases.requests import Sample, Versus, comparisons, idle, own
from benchmarks.gateways.figures import Spread
from benchmarks.gateways.load.wrk import LoadError
from benchmarks.gateways.machine import cores
from benchmarks.gateways.outcome import Comparison, Goal, Outcome
from benchmarks.gateways.peers.site import Certificate
from benchmarks.gateways.process import ServerError
from benchmarks.gateways.stage import Stage
from benchmarks.gateways.tools import ToolError, Tools
from tests.cluster.ports import free_port


@dataclass(frozen=True, slots=True)
class Scripted:
    """A case that does what the test says."""

    name: str
    work: Callable[[], Outcome]
    title: str = "a title"
    tools: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()

    def run(self, stage: Stage) -> Outcome:
        assert stage.of(("envoy", "wardgate")) == ("wardgate",)
        return self.work()


@pytest.fixture(name="stage")
def empty_stage(tmp_path: Path) -> Stage:
    return Stage(
        environments={"wardgate": Path(sys.prefix)},
        chosen=("wardgate",),
        tools=Tools(tmp_path),
        folder=tmp_path,
        cores=cores(),
        rounds=1,
        seconds=1,
        requests=1,
        certificate=Certificate(tmp_path, tmp_path, tmp_path),
        chance=random.Random(1),
    )


def failing(error: BaseException) -> Callable[[], Outcome]:
    def work() -> Outcome:
        raise error

    return work


@pytest.mark.parametrize(
    "error", [ServerError("it ended\n  at once"), LoadError("it ended at once"), SubprocessError("it ended at once")]
)
def test_a_case_that_fails_is_told_and_the_next_one_is_measured(stage: Stage, error: Exception) -> None:
    good = Outcome("good", "good")
    outcomes = measured([Scripted("bad", failing(error)), Scripted("good", lambda: good)], stage)

    assert [Outcome("bad", "a title", failure="it ended at once"), good] == outcomes


def test_a_long_failure_keeps_its_beginning_and_its_end() -> None:
    text = "envoy does not listen. It said:\n" + "  File | line\n" * 40 + "ImportError: no such name"
    cell = shortened(text)

    assert 250 > len(cell)
    assert cell.startswith("envoy does not listen. It said: File / line")
    assert cell.endswith("ImportError: no such name")


def test_an_interrupt_ends_with_the_cases_that_are_done(stage: Stage) -> None:
    good = Outcome("good", "good")
    cases = [
        Scripted("good", lambda: good),
        Scripted("bad", failing(KeyboardInterrupt())),
        Scripted("late", lambda: good),
    ]

    assert [good] == measured(cases, stage)


def test_columns_are_what_they_are_called() -> None:
    plain, compiled = "0.1.0 (Python 3.11.7, plain Python)", "0.1.0 (Python 3.11.7, compiled)"

    check_forms({"commit": "abc", "wardgate": plain, "compiled": compiled, "envoy": "1.40"})
    for wrong in ({"wardgate": compiled}, {"wardgate": plain, "compiled": plain}):
        with pytest.raises(ToolError, match="is not in this form"):
            check_forms(wrong)


def test_contenders_are_compared_round_by_round() -> None:
    samples = {"wardgate": [20.0, 30.0, 60.0], "envoy": [40.0, 30.0, 60.0], "haproxy": [10.0, 10.0, 10.0]}
    found = comparisons((Versus("wardgate", "envoy", 0.65), Versus("compiled", "envoy", 0.5)), samples)

    assert (Comparison("Wardgate / Envoy", "", Spread(1.0, 0.5, 1.0), Goal(0.65)),) == found


def test_a_form_is_compared_with_itself_in_another_variant() -> None:
    samples = {"wardgate, refused": [10.0], "wardgate, accepted": [20.0], "compiled, accepted": [20.0]}
    (found,) = comparisons(own(0.5, "refused", "accepted"), samples)

    assert ("Wardgate: refused / accepted", 0.5) == (found.what, found.spread.median)


def test_what_a_gateway_adds_is_beside_the_direct_way_of_the_same_round() -> None:
    samples = {
        "direct": [{"p50": 1.0, "p99": 2.0}, {"p50": 2.0, "p99": 3.0}],
        "compiled": [{"p50": 1.5, "p99": 2.25}] * 2,
    }
    found = added(samples, {"p50": 0.3, "p99": 0.6})

    assert [("Wardgate compiled: added at p50", 0.0), ("Wardgate compiled: added at p99", -0.25)] == [
        (one.what, one.spread.median) for one in found
    ]
    assert [Goal(0.3), Goal(0.6)] == [one.goal for one in found]
    assert ["direct", "compiled"] == [one.server for one in figures("a request", samples, {"p50": 0.3})]


def test_who_waited_for_the_load_is_told() -> None:
    samples = {"wardgate": [Sample(20.0, 0.9), Sample(20.0, 0.2)], "envoy": [Sample(30.0, 0.5)]}
    (note,) = idle(samples)

    assert note.endswith("was busy for wardgate 55%, envoy 50%.")
    assert () == idle({"wardgate": [Sample(20.0, 0.6)]})


def test_memory_is_read_when_half_of_the_requests_are_done_and_at_their_end() -> None:
    reads = iter(range(100, 200))
    done, half = carried(100, lambda _: 30, resident=lambda: next(reads), clock=lambda: 0.0)

    # Each burst is told with the memory; behind the second one it is read once more.
    assert (120, 102) == (done, half)


def test_requests_that_take_too_long_end_the_case() -> None:
    bursts: list[int] = []

    def burst(number: int) -> int:
        bursts.append(number)
        return 10

    with pytest.raises(LoadError, match=r"^30 of 1,000 requests in 180 s\. Ask for fewer: --requests\.$"):
        carried(1000, burst, resident=lambda: 1, clock=lambda: MOST_SECONDS / 2.5 * len(bursts))


def test_every_case_stands_in_the_document() -> None:
    document = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()

    assert [] == [case.name for case in CASES if f"`{case.name}`" not in document]


@pytest.mark.slow
def test_a_server_that_ends_at_once_is_told_with_its_words(stage: Stage) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such flag')"]
    with ExitStack() as stack, pytest.raises(ServerError, match=r"^peer does not listen\. It said: no such flag$"):
        stage.start(stack, "peer", command, port=free_port(), cpus=stage.cores.gateway)
