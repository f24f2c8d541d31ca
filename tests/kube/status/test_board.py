"""Verdicts, sequences and proxies come together, and one silent replica stays silent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from tests.kube.verdicts import POLICY, verdict
from wardgate.api import Approval
from wardgate.ir import ApiKeyStep, AuthPlan, Credential, GatewayConfig
from wardgate.kube.status.board import LATE, StatusBoard
from wardgate.kube.status.manifest import Desired
from wardgate.kube.status.proxy_views import Announced, ProxyEndpoint, ProxyView
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

_EMPTY = GatewayConfig()
_TABLE = ObjectRef("RouteTable", "team", "routes")


class Bench:
    """Plays the writer, the proxies (one, ready) and the clock."""

    def __init__(self) -> None:
        self.submitted: list[Mapping[ObjectRef, Desired]] = []
        self.awaited: list[int] = []
        self.sequence = 0
        self.unserved: tuple[tuple[str, str], ...] = ()
        self.seconds = 100.0
        self.news = asyncio.Event()
        self.board = StatusBoard(writer=self, proxies=self, clock=lambda: self.seconds)

    @property
    def views(self) -> tuple[ProxyView, ...]:
        endpoint = ProxyEndpoint("a", "http://10.0.0.1:9901", ready=True)
        return (ProxyView(endpoint, Announced("r", "1.0", self.sequence, (1,), unserved=self.unserved), ""),)

    def await_sequence(self, sequence: int) -> None:
        self.awaited.append(sequence)

    def submit(self, desired: Mapping[ObjectRef, Desired]) -> None:
        self.submitted.append(desired)
        self.news.set()

    def take(self, *verdicts: ObjectStatus, sequence: int, config: GatewayConfig = _EMPTY) -> None:
        self.board.take(verdicts, config, sequence=sequence)
        self.board.report()

    def programmed(self, ref: ObjectRef = POLICY) -> str:
        return self.submitted[-1][ref].programming.status


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_generation_is_programmed_when_the_proxies_are_there(bench: Bench) -> None:
    bench.take(verdict(), sequence=10)
    assert "False" == bench.programmed()

    bench.sequence = 10
    bench.board.report()
    assert "True" == bench.programmed()


def test_later_sequences_do_not_take_a_generation_back(bench: Bench) -> None:
    bench.sequence = 10
    bench.take(verdict(), sequence=10)
    bench.take(verdict(), verdict(ref=_TABLE), sequence=11)

    assert ("True", "False") == (bench.programmed(), bench.programmed(_TABLE))


@pytest.mark.parametrize(
    "changed", [verdict(generation=2), verdict(uid="uid-2"), verdict(Approval.WARNING, generation=2)]
)
def test_new_form_is_awaited_anew(bench: Bench, changed: ObjectStatus) -> None:
    bench.sequence = 10
    bench.take(verdict(), sequence=10)
    bench.take(changed, sequence=11)

    assert "False" == bench.programmed()


def test_form_that_becomes_right_is_awaited_from_then_on(bench: Bench) -> None:
    bench.sequence = 10
    bench.take(verdict(Approval.INVALID), sequence=10)
    bench.take(verdict(), sequence=11)

    assert "False" == bench.programmed()


def test_sequence_that_went_back_is_awaited_from_there(bench: Bench) -> None:
    bench.take(verdict(), sequence=20)
    bench.sequence = 10
    bench.take(verdict(), sequence=10)

    assert "True" == bench.programmed()


def test_no_more_than_is_needed_is_awaited(bench: Bench) -> None:
    bench.take(verdict(), sequence=10)
    bench.take(verdict(), sequence=11)

    assert [10, 10] == bench.awaited


def test_proxies_that_are_late_are_named(bench: Bench) -> None:
    bench.take(verdict(), sequence=10)
    bench.seconds += LATE
    bench.board.report()

    assert "Behind are 1 of 1: a (it serves an older revision)." in bench.submitted[-1][POLICY].programming.message


def test_gateway_with_a_listener_that_is_not_served_is_not_programmed(bench: Bench) -> None:
    gateway, another = ObjectRef("VirtualGateway", "team", "gw"), ObjectRef("VirtualGateway", "team", "another")
    bench.sequence, bench.unserved = 10, (("team/gw:81", "Port 81 is taken."),)
    bench.take(verdict(ref=gateway), verdict(ref=another), verdict(ref=_TABLE), sequence=10)
    assert ("False", "True", "True") == tuple(map(bench.programmed, (gateway, another, _TABLE)))

    bench.unserved = ()
    bench.board.report()
    assert "True" == bench.programmed(gateway)


def test_expiries_go_to_the_policy_that_they_concern(bench: Bench) -> None:
    config = GatewayConfig(
        auth_plans=(AuthPlan("team/apikey", (ApiKeyStep("a", "api-key", "set"),)),),
        credentials=(Credential("set", "0" * 64, "team", "key", 99),),
    )
    bench.take(verdict(), verdict(ref=_TABLE), sequence=10, config=config)

    assert (((99,),), ()) == tuple(bench.submitted[-1][ref].expiries.key_sets for ref in (POLICY, _TABLE))


def test_board_is_silent_before_the_first_round_of_its_term(bench: Bench) -> None:
    bench.board.report()
    assert [] == bench.submitted


def test_last_object_that_goes_is_let_go(bench: Bench) -> None:
    bench.take(verdict(), sequence=10)
    bench.take(sequence=11)

    assert {} == bench.submitted[-1]


def test_running_board_reports_what_was_taken_and_what_proxies_tell(bench: Bench) -> None:
    async def play() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            running = group.create_task(bench.board.run())
            bench.board.take([verdict()], _EMPTY, sequence=10)
            await bench.news.wait()
            bench.news.clear()
            bench.sequence = 10
            bench.board.mark()
            await bench.news.wait()
            running.cancel()

    asyncio.run(play())
    assert ["False", "True"] == [one[POLICY].programming.status for one in bench.submitted]
