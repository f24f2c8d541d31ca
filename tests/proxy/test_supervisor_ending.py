"""The ending of a proxy with real worker processes: what callers see from the first moment to the last."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.proxy.io.bench import CREDENTIAL, OK, answering, config, guarded, providing, run
from tests.proxy.test_supervisor import GET, SETTINGS, Running, fetch, supervising
from wardgate.ir import GatewayConfig
from wardgate.proxy.settings import Timeouts
from wardgate.tasks import spawn

pytestmark = [pytest.mark.slow, pytest.mark.measured]

KEPT = GET.replace(b"Connection: close\r\n", b"")
WITH_KEY = KEPT.replace(b"Host: h", b"Host: h\r\nApi-Key: mysecretkey")


@asynccontextmanager
async def ending(new: GatewayConfig, *, delay: float, workers: int = 2) -> AsyncIterator[tuple[Running, str]]:
    """A proxy that has been told to end, and the address of its listener; at the end of the block it has ended."""
    settings = replace(SETTINGS, workers=workers, timeouts=Timeouts(shutdown_delay=delay, drain=5.0, drain_idle=0.1))
    async with supervising(settings) as running:
        applied = await running.apply(new)
        stopping = spawn(running.supervisor.stop(patient=True), name="stop")
        await asyncio.sleep(0)
        yield running, applied.listeners[0].address
        await stopping


async def is_refused(address: str) -> bool:
    try:
        await fetch(address)
    except ConnectionRefusedError:
        return True
    return False


def test_ending_proxy_is_not_ready_and_serves_until_its_delay_is_over() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            async with ending(config(provider.port), delay=1.0) as (running, address):
                assert b" 503 " in await running.admin("/readyz")
                assert b" 200 " in await running.admin("/healthz")
                for _ in range(8):
                    answer = await fetch(address, KEPT)
                    assert answer.startswith(b"HTTP/1.1 200 ")
                    assert b"connection: close\r\n" in answer
            assert await is_refused(address)

    run(scenario())


def test_queue_of_an_ending_proxy_takes_nobody_in_while_a_request_is_in_flight() -> None:
    async def scenario() -> None:
        post = KEPT.replace(b"GET / ", b"POST / ").replace(b"Host: h", b"Host: h\r\nContent-Length: 1")
        async with (
            providing(answering(OK)) as provider,
            ending(config(provider.port), delay=0.3) as (_, address),
        ):
            host, _, port = address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(post)
            async with asyncio.timeout(10.0):
                while not await is_refused(address):
                    pass
            writer.write(b"x")
            assert (await reader.read()).endswith(b"ok")
            writer.close()

    run(scenario())


def test_key_that_is_revoked_while_the_proxy_ends_is_refused() -> None:
    async def scenario() -> None:
        async with (
            providing(answering(OK)) as provider,
            ending(guarded(provider.port, credentials=(CREDENTIAL,)), delay=1.5) as (running, address),
        ):
            assert (await fetch(address, WITH_KEY)).startswith(b"HTTP/1.1 200 ")
            assert () == (await running.apply(guarded(provider.port))).problems
            assert (await fetch(address, WITH_KEY)).startswith(b"HTTP/1.1 401 ")

    run(scenario())


def test_worker_that_dies_while_the_proxy_ends_is_replaced_by_one_that_ends_too() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            async with ending(config(provider.port), delay=3.0, workers=1) as (running, address):
                os.kill(running.worker_ids[0], signal.SIGKILL)
                answer = await fetch(address, KEPT)
                assert answer.startswith(b"HTTP/1.1 200 ")
                assert b"connection: close\r\n" in answer
                assert 1 == len(running.announced)
            assert await is_refused(address)

    run(scenario())


def test_new_listener_is_not_bound_while_the_proxy_ends() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider:
            none = config(provider.port, listeners=())
            settings = replace(SETTINGS, timeouts=Timeouts(shutdown_delay=0.5))
            async with supervising(settings) as running:
                await running.apply(none)
                stopping = spawn(running.supervisor.stop(patient=True), name="stop")
                await asyncio.sleep(0)
                assert () == (await running.apply(config(provider.port))).listeners
                await stopping

    run(scenario())


def test_end_without_patience_cuts_the_delay_short() -> None:
    async def scenario() -> None:
        async with supervising(replace(SETTINGS, timeouts=Timeouts(shutdown_delay=1000.0))) as running:
            waiting = spawn(running.supervisor.stop(patient=True), name="stop")
            await asyncio.sleep(0)
            await running.supervisor.stop()
            waiting.cancel()

    run(scenario())


def test_signals_to_the_whole_process_group_leave_the_ending_to_the_supervisor() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            for number in (signal.SIGTERM, signal.SIGINT):
                for worker in running.worker_ids:
                    os.kill(worker, number)
            for _ in range(8):
                assert (await fetch(applied.listeners[0].address)).endswith(b"ok")
            assert [] == running.announced

    run(scenario())
