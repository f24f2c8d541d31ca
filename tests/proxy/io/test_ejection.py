"""Endpoints of one upstream that fail get no requests for a while, and cost no caller anything meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.proxy.io.bench import OK, Bench, Provider, Script, answering, config, providing, run, serving
from wardgate.ir import Endpoint, GatewayConfig, Upstream
from wardgate.proxy.io.upstream.health import EndpointHealth
from wardgate.proxy.settings import Limits, ProxySettings, Timeouts

GET = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
SETTINGS = ProxySettings(
    admin="",
    limits=Limits(endpoint_failures=3, pool_idle=0),
    timeouts=Timeouts(ejection=10.0, longest_ejection=30.0),
)
DEAD = 1
"""A port that takes no connection."""


def hanging_up(provider: Provider) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await provider.read_request(reader)

    return script


def to(*ports: int) -> GatewayConfig:
    return config(1, upstreams=(Upstream("provider", tuple(Endpoint("127.0.0.1", port) for port in ports)),))


async def statuses(bench: Bench, count: int) -> list[int]:
    return [int((await bench.exchange(GET)).split(b" ")[1]) for _ in range(count)]


def errors(bench: Bench) -> dict[str, int]:
    """Failures of upstreams since they were last asked for, by their reasons."""
    taken = bench.counters.take()["upstream_errors"]
    assert isinstance(taken, list)
    return {reason: count for _, reason, count in taken}


@asynccontextmanager
async def reporting(settings: ProxySettings = SETTINGS) -> AsyncIterator[tuple[Bench, list[str]]]:
    told: list[str] = []
    async with serving(settings, report=told.append) as bench:
        yield bench, told


def test_endpoint_without_a_connection_costs_no_request() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as good, reporting() as (bench, _):
            await bench.apply(to(DEAD, good.port))
            assert [200] * 10 == await statuses(bench, 10)
            assert {"upstream_unreachable": 3, "endpoint_ejected": 1} == errors(bench)

    run(scenario())


def test_request_is_sent_with_its_body_to_the_endpoint_that_takes_it() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as good, reporting() as (bench, _):
            await bench.apply(to(DEAD, good.port))
            for _ in range(2):
                post = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"
                assert (await bench.exchange(post)).startswith(b"HTTP/1.1 200 ")
            assert [b"hello"] * 2 == good.bodies

    run(scenario())


def test_endpoint_that_breaks_off_is_put_out_and_tried_again_later() -> None:
    async def scenario() -> None:
        async with providing(hanging_up) as bad, providing(answering(OK)) as good, reporting() as (bench, told):
            await bench.apply(to(bad.port, good.port))
            assert 3 == (await statuses(bench, 6)).count(502)
            assert [200] * 6 == await statuses(bench, 6)
            assert {"upstream_reset": 3, "endpoint_ejected": 1} == errors(bench)
            assert any(
                f"127.0.0.1:{bad.port} failed again and again, and gets no requests for 10 s." in one for one in told
            )
            bench.pass_time(10.0)
            assert 1 == (await statuses(bench, 6)).count(502)  # and is out at once, for twice as long
            bench.pass_time(19.0)
            assert [200] * 6 == await statuses(bench, 6)
            assert 4 == len(bad.received)

    run(scenario())


def test_endpoint_that_recovered_is_in_turn_again() -> None:
    async def scenario() -> None:
        async with providing(hanging_up) as bad, providing(answering(OK)) as good, reporting() as (bench, _):
            await bench.apply(to(bad.port, good.port))
            await statuses(bench, 6)
            bad.script = answering(OK)(bad)
            bench.pass_time(10.0)
            before = len(bad.received)
            assert [200] * 6 == await statuses(bench, 6)
            assert 3 == len(bad.received) - before

    run(scenario())


def test_failures_between_successes_put_no_endpoint_out() -> None:
    def wavering(provider: Provider) -> Script:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await provider.read_request(reader)
            if len(provider.received) % 3 == 0:
                writer.write(OK)

        return script

    async def scenario() -> None:
        async with providing(wavering) as one, providing(answering(OK)) as two, reporting() as (bench, _):
            await bench.apply(to(one.port, two.port))
            assert 8 == (await statuses(bench, 24)).count(502)
            assert {"upstream_reset": 8} == errors(bench)

    run(scenario())


def test_all_are_tried_where_all_are_out() -> None:
    async def scenario() -> None:
        async with providing(hanging_up) as one, providing(hanging_up) as two, reporting() as (bench, _):
            await bench.apply(to(one.port, two.port))
            assert [502] * 20 == await statuses(bench, 20)
            assert 20 == len(one.received) + len(two.received)
            one.script = answering(OK)(one)
            assert 200 in await statuses(bench, 2)

    run(scenario())


def test_only_endpoint_is_never_out() -> None:
    async def scenario() -> None:
        async with providing(hanging_up) as only, reporting() as (bench, _):
            await bench.apply(to(only.port))
            assert [502] * 8 == await statuses(bench, 8)
            assert {"upstream_reset": 8} == errors(bench)

    run(scenario())


def test_ejection_can_be_turned_off() -> None:
    async def scenario() -> None:
        settings = replace(SETTINGS, limits=replace(SETTINGS.limits, endpoint_failures=0))
        async with providing(hanging_up) as bad, providing(answering(OK)) as good, reporting(settings) as (bench, _):
            await bench.apply(to(bad.port, good.port))
            assert 10 == (await statuses(bench, 20)).count(502)

    run(scenario())


def test_error_of_the_provider_is_no_failure() -> None:
    async def scenario() -> None:
        sick = answering(OK.replace(b"200 OK", b"503 Busy"))
        async with providing(sick) as one, providing(answering(OK)) as two, reporting() as (bench, _):
            await bench.apply(to(one.port, two.port))
            assert 10 == (await statuses(bench, 20)).count(503)

    run(scenario())


def test_request_asks_three_endpoints_at_most() -> None:
    async def scenario() -> None:
        async with reporting() as (bench, _):
            await bench.apply(to(DEAD, DEAD, DEAD, DEAD, DEAD))
            assert [502] == await statuses(bench, 1)
            assert {"upstream_unreachable": 3} == errors(bench)

    run(scenario())


@pytest.mark.parametrize("limit", [1, 3])
def test_time_doubles_up_to_its_bound_until_a_request_goes_well(limit: int) -> None:
    health = EndpointHealth(limit=limit, shortest=10.0, longest=30.0)

    def put_out(now: float) -> float:
        seconds = 0.0
        while not health.is_out:
            seconds = health.failed(now)
        health.tick(now + seconds)
        assert not health.is_out
        return seconds

    assert [10.0, 20.0, 30.0, 30.0] == [put_out(1000.0 * number) for number in range(4)]
    health.succeeded()
    assert 10.0 == put_out(9000.0)


def test_late_failures_of_an_endpoint_that_is_out_count_no_more() -> None:
    health = EndpointHealth(limit=2, shortest=10.0, longest=30.0)
    assert [0.0, 10.0, 0.0, 0.0] == [health.failed(0.0) for _ in range(4)]
    health.tick(9.0)
    assert health.is_out
    health.tick(10.0)
    assert not health.is_out
