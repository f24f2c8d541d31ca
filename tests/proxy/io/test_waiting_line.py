"""Requests in line for a connection: bounded in number and in time, callers in turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.proxy.io.bench import OK, Bench, Caller, Provider, Script, answering, config, providing, run, serving, settle
from wardgate.ir import Endpoint, Upstream
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.upstream.connection import UpstreamConnection
from wardgate.proxy.io.upstream.errors import UpstreamError
from wardgate.proxy.io.upstream.waiting_line import WaitingLine
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts

SETTINGS = ProxySettings(
    admin="",
    limits=Limits(upstream_connections=1, upstream_queue=8, caller_share=50),
    timeouts=Timeouts(upstream_queue=5.0),
)


class Name:
    """A waiter that is known by its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def upstream_ready(self, connection: UpstreamConnection) -> None: ...
    def upstream_failed(self, error: UpstreamError) -> None: ...


def lined(*names: str, limit: int = 100, percent: int = 100) -> tuple[WaitingLine, dict[str, Name]]:
    """A line of waiters, each of the caller that its first letter names."""
    line = WaitingLine(limit, percent=percent)
    waiters = {name: Name(name) for name in names}
    for number, (name, waiter) in enumerate(waiters.items()):
        assert line.join(waiter, name[0], until=float(number)) is None
    return line, waiters


def order(line: WaitingLine, refused: str = "") -> list[str]:
    """Who is next, until nobody is."""
    names = []
    while (found := line.next(lambda holder: ReplyReason.CALLER_OVER_SHARE if holder == refused else None)) is not None:
        assert isinstance(found[0], Name)
        names.append(found[0].name)
    return names


def test_callers_take_turns_and_each_keeps_its_order() -> None:
    line, _ = lined("a1", "a2", "a3", "b1", "c1", "b2")
    assert ["a1", "b1", "c1", "a2", "b2", "a3"] == order(line)
    assert 0 == line.waiting


def test_caller_that_may_have_no_more_keeps_its_place() -> None:
    line, _ = lined("a1", "b1", "a2")
    assert ["b1"] == order(line, refused="a")
    assert ["a1", "a2"] == order(line)


def test_who_leaves_is_passed_over() -> None:
    line, waiters = lined("a1", "a2", "b1")
    line.leave(waiters["a1"])
    line.leave(waiters["b1"])
    line.leave(waiters["b1"])
    assert (1, ["a2"]) == (line.waiting, order(line))


def test_who_has_waited_long_enough_is_told_so() -> None:
    line, waiters = lined("a1", "a2", "b1", "a3")
    assert [waiters["a1"], waiters["a2"], waiters["b1"]] == line.overdue(2.0)
    assert ["a3"] == order(line)


def test_line_is_bounded_and_no_caller_fills_it() -> None:
    line, _ = lined("a1", "a2", "b1", limit=4, percent=50)
    assert ReplyReason.CALLER_OVER_SHARE is line.join(Name("a3"), "a", until=9.0)
    assert line.join(Name("b2"), "b", until=9.0) is None
    assert ReplyReason.OVERLOAD is line.join(Name("c1"), "c", until=9.0)
    order(line)
    assert line.join(Name("c1"), "c", until=9.0) is None


def on_demand(gate: asyncio.Queue[None]) -> Callable[[Provider], Script]:
    """Answer each request once the test says so."""

    def make(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await provider.read_request(reader)
                await gate.get()
                writer.write(OK)

        return script

    return make


def get(name: str) -> bytes:
    return b"GET /%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % name.encode()


async def sending(bench: Bench, name: str) -> Caller:
    """A caller of its own address, which the first letter names."""
    caller = await bench.connect(address=f"127.0.0.{ord(name[0])}")
    await caller.send(get(name))
    return caller


async def asking(bench: Bench, name: str) -> Caller:
    """The same once its request has arrived, and waits."""
    before = bench.counters.in_flight
    caller = await sending(bench, name)
    await settle(lambda: bench.counters.in_flight > before)
    return caller


def paths(provider: Provider) -> list[str]:
    return [head.split(b" ")[1][1:].decode() for head in provider.received]


def test_requests_wait_for_the_connection_in_turn() -> None:
    async def scenario() -> None:
        gate: asyncio.Queue[None] = asyncio.Queue()
        async with providing(on_demand(gate)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            callers = [await asking(bench, name) for name in ("a1", "b1", "b2", "c1")]
            for _ in callers:
                gate.put_nowait(None)
            for caller in callers:
                assert (await caller.rest()).startswith(b"HTTP/1.1 200 ")
            assert ["a1", "b1", "c1", "b2"] == paths(provider)
            assert 1 == provider.connections

    run(scenario())


def test_connection_that_ends_makes_room_for_another_one() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")

    async def scenario() -> None:
        async with providing(answering(closing)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            callers = [await sending(bench, name) for name in ("a1", "b1", "c1")]
            for caller in callers:
                assert (await caller.rest()).startswith(b"HTTP/1.1 200 ")
            assert 3 == provider.connections

    run(scenario())


def test_connection_that_cannot_be_made_makes_room_for_the_next() -> None:
    asked = asyncio.Event()

    async def lookup(host: str, port: int) -> tuple[str, ...]:
        await asked.wait()
        return ()

    async def scenario() -> None:
        async with serving(SETTINGS, lookup=lookup) as bench:
            await bench.apply(config(1, upstreams=(Upstream("provider", (Endpoint("no.example", 1),)),)))
            callers = [await asking(bench, name) for name in ("a1", "b1", "c1")]
            asked.set()
            for caller in callers:
                assert (await caller.rest()).startswith(b"HTTP/1.1 502 ")

    run(scenario())


@pytest.mark.parametrize("apply_anew", [False, True])
def test_wait_ends_with_a_503(*, apply_anew: bool) -> None:
    async def scenario() -> list[bytes]:
        gate: asyncio.Queue[None] = asyncio.Queue()
        async with providing(on_demand(gate)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            first, second = await asking(bench, "a1"), await asking(bench, "b1")
            if apply_anew:  # to a config without the upstream: the request goes on waiting for it
                await bench.apply(config(provider.port, upstreams=(), listeners=()))
            bench.pass_time(4.0)
            assert 2 == bench.counters.in_flight
            bench.pass_time(1.0)
            answer = await second.rest()
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nretry-after: 1\r\n" in answer
            gate.put_nowait(None)
            assert (await first.rest()).startswith(b"HTTP/1.1 200 ")
        return bench.lines

    reasons = [json.loads(line)["reason"] for line in b"".join(run(scenario())).splitlines()]
    assert ["upstream_overload", ""] == reasons


def test_no_line_is_an_answer_at_once() -> None:
    async def scenario() -> None:
        gate: asyncio.Queue[None] = asyncio.Queue()
        settings = replace(SETTINGS, timeouts=replace(SETTINGS.timeouts, upstream_queue=0.0))
        async with providing(on_demand(gate)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            await asking(bench, "a1")
            assert (await bench.exchange(get("b1"))).startswith(b"HTTP/1.1 503 ")

    run(scenario())


def test_caller_waits_behind_its_own_requests_too() -> None:
    async def scenario() -> None:
        gate: asyncio.Queue[None] = asyncio.Queue()
        async with providing(on_demand(gate)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            callers = [await asking(bench, name) for name in ("a1", "a2")]
            for caller in callers:
                gate.put_nowait(None)
                assert (await caller.rest()).startswith(b"HTTP/1.1 200 ")

    run(scenario())


def test_caller_that_leaves_gives_up_its_place() -> None:
    async def scenario() -> None:
        gate: asyncio.Queue[None] = asyncio.Queue()
        async with providing(on_demand(gate)) as provider, serving(SETTINGS) as bench:
            await bench.apply(config(provider.port))
            first, leaving, last = [await asking(bench, name) for name in ("a1", "b1", "c1")]
            leaving.close()
            while bench.counters.in_flight > 2:  # asked after a second
                bench.pass_time(0.05)
                await asyncio.sleep(0.001)
            for _ in range(2):
                gate.put_nowait(None)
            for caller in (first, last):
                assert (await caller.rest()).startswith(b"HTTP/1.1 200 ")
            assert ["a1", "c1"] == paths(provider)
            assert 1 == provider.connections

    run(scenario())


@pytest.mark.parametrize(("age", "passed", "connections"), [(100.0, 89.0, 1), (100.0, 100.0, 2), (0.0, 1e6, 1)])
def test_connection_carries_no_request_past_its_age(age: float, passed: float, connections: int) -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, timeouts=Timeouts(pool_age=age, pool_idle=300.0))
        async with providing(answering(OK)) as provider, serving(settings) as bench:
            await bench.apply(config(provider.port))
            await bench.exchange(get("a1"))
            bench.clock.pass_time(passed)  # without a tick, which would close what is idle
            await bench.exchange(get("a2"))
            await bench.exchange(get("a3"))
            assert connections == provider.connections

    run(scenario())
