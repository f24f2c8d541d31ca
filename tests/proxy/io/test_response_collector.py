"""A response is decoded in turns, while the upstream waits; its taker hears one thing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.proxy.core.http1.codings import coded
from tests.proxy.io.bench import run
from wardgate.proxy.core.messages import Incoming
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.downstream.collector import Collector
from wardgate.proxy.io.downstream.response_collector import ResponseCollector
from wardgate.proxy.io.upstream.errors import UpstreamError

TEXT = Random(1).randbytes(40_000).hex().encode() + b"a" * 3_000_000


class Taker:
    """Hears, and remembers in order."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def response_whole(self, incoming: Incoming) -> None:
        self.heard.append(incoming.body)

    def fail(self, error: UpstreamError) -> None:
        self.heard.append(error.reason)

    def refuse(self, reason: ReplyReason) -> None:
        self.heard.append(reason)

    def upstream_held(self, *, held: bool) -> None:
        self.heard.append("held" if held else "released")


def collecting(name: str, taker: Taker, *, budget: int = 10**8, most: int = 10**7) -> tuple[ResponseCollector, bytes]:
    """Begin with a response, and give the bytes that are its body."""
    data, coding = coded(TEXT, name)
    incoming = Incoming(200, [(b"content-encoding", coding.encode())])
    collector = ResponseCollector(
        incoming, Collector(Budget(budget, percent=100), most=most), taker=taker, expansion=100
    )
    collector.begin()
    return collector, data


def spin(condition: Callable[[], bool]) -> Awaitable[None]:
    """Give the loop the turns that it wants, at most a thousand."""

    async def turns() -> None:
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0)

    return turns()


@pytest.mark.parametrize("name", ["gzip", "raw deflate", "br", "zstd"])
def test_upstream_waits_while_a_piece_is_decoded_in_turns(name: str) -> None:
    async def scenario() -> None:
        taker = Taker()
        collector, data = collecting(name, taker)
        collector.add(data)
        assert ["held"] == taker.heard
        await spin(lambda: len(taker.heard) > 1)
        assert ["held", "released"] == taker.heard
        collector.end()
        assert ["held", "released", TEXT] == taker.heard

    run(scenario())


def test_what_comes_between_two_turns_waits_for_its_own() -> None:
    async def scenario() -> None:
        taker = Taker()
        collector, data = collecting("gzip", taker)
        collector.add(data[:-10])
        collector.add(data[-10:])
        collector.end()
        assert ["held"] == taker.heard
        await spin(lambda: len(taker.heard) == 3)
        assert ["held", "released", TEXT] == taker.heard

    run(scenario())


def test_nothing_is_heard_after_the_stop() -> None:
    async def scenario() -> None:
        taker = Taker()
        collector, data = collecting("gzip", taker)
        collector.add(data)
        collector.end()
        collector.stop()
        await spin(lambda: False)
        assert ["held"] == taker.heard

    run(scenario())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"budget": 2_000_000}, ReplyReason.OVERLOAD), ({"most": 2_000_000}, ReplyReason.RESPONSE_TOO_LARGE)],
)
def test_refusal_in_a_later_turn_is_heard_once(changes: dict[str, int], reason: ReplyReason) -> None:
    async def scenario() -> None:
        taker = Taker()
        collector, data = collecting("gzip", taker, **changes)
        collector.add(data)
        collector.end()
        await spin(lambda: False)
        assert ["held", reason] == taker.heard

    run(scenario())
