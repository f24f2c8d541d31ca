"""A worker that is stuck or gone holds nobody up: the others serve its sockets until it, or its successor, does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace

import pytest

from tests.proxy.io.bench import OK, PORT, answering, config, providing, run, settle
from tests.proxy.test_supervisor import SETTINGS, Running, fetch, supervising
from wardgate.proxy.settings import Timeouts

pytestmark = [pytest.mark.slow, pytest.mark.measured]


async def everybody_is_served(address: str) -> None:
    """So many callers that some of them come to each worker."""
    answers = await asyncio.gather(*(fetch(address) for _ in range(16)))
    assert {True} == {answer.endswith(b"ok") for answer in answers}


def held_back(running: Running, go_on: asyncio.Event) -> Callable[[int], Coroutine[object, object, None]]:
    """Let successors start when told."""
    start = running.supervisor._start_worker

    async def later(number: int) -> None:
        await go_on.wait()
        await start(number)

    return later


def stands_alone(running: Running) -> bool:
    return not running.supervisor._stand_ins._for


def test_sockets_of_a_stuck_worker_are_served_by_the_others_until_it_goes_on() -> None:
    settings = replace(SETTINGS, timeouts=Timeouts(worker=1000.0))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(settings) as running:
            applied = await running.apply(config(provider.port))
            stuck = running.worker_ids[0]
            os.kill(stuck, signal.SIGSTOP)
            try:
                await everybody_is_served(applied.listeners[0].address)
            finally:
                os.kill(stuck, signal.SIGCONT)
            await settle(lambda: stands_alone(running))
            await everybody_is_served(applied.listeners[0].address)
            assert [] == running.announced

    run(scenario())


def test_sockets_of_a_dead_worker_are_served_by_the_others_until_its_successor_does() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            go_on = asyncio.Event()
            running.supervisor._start_worker = held_back(running, go_on)  # type: ignore[assignment]
            os.kill(running.worker_ids[0], signal.SIGKILL)
            await everybody_is_served(applied.listeners[0].address)
            go_on.set()
            await settle(lambda: stands_alone(running))
            os.kill(running.worker_ids[1], signal.SIGKILL)  # who stood in is not needed any more
            await everybody_is_served(applied.listeners[0].address)

    run(scenario())


def test_successor_that_is_the_first_to_serve_stands_in_for_the_one_that_is_not_there_yet() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            start, go_on = running.supervisor._start_worker, asyncio.Event()
            late = held_back(running, go_on)

            async def first_one_late(number: int) -> None:
                await (start(number) if number else late(number))

            running.supervisor._start_worker = first_one_late  # type: ignore[method-assign]
            for worker in running.worker_ids:
                os.kill(worker, signal.SIGKILL)
            await everybody_is_served(applied.listeners[0].address)
            go_on.set()
            await settle(lambda: stands_alone(running))

    run(scenario())


def test_listener_that_is_added_while_a_worker_is_gone_is_served_on_its_socket_too() -> None:
    # A config is not held up by a worker that is gone, however long others are waited for.
    settings = replace(SETTINGS, ports=((PORT, 0), (PORT + 1, 0)), timeouts=Timeouts(worker=1000.0))

    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising(settings) as running:
            base = config(provider.port)
            await running.apply(base)
            go_on = asyncio.Event()
            running.supervisor._start_worker = held_back(running, go_on)  # type: ignore[assignment]
            os.kill(running.worker_ids[0], signal.SIGKILL)
            await settle(lambda: bool(running.announced))
            both = (base.listeners[0], replace(base.listeners[0], name="second", port=PORT + 1))
            applied = await running.apply(replace(base, listeners=both))
            for listener in applied.listeners:
                await everybody_is_served(listener.address)
            go_on.set()
            await settle(lambda: stands_alone(running))

    run(scenario())


def test_worker_that_cannot_be_started_is_tried_again_and_said_so() -> None:
    async def scenario() -> None:
        async with providing(answering(OK)) as provider, supervising() as running:
            applied = await running.apply(config(provider.port))
            start = running.supervisor._start_worker
            failures = [BlockingIOError(11, "Resource temporarily unavailable")] * 2

            async def failing(number: int) -> None:
                if failures:
                    raise failures.pop()
                await start(number)

            running.supervisor._start_worker = failing  # type: ignore[method-assign]
            os.kill(running.worker_ids[0], signal.SIGKILL)
            await settle(lambda: bool(running.announced))
            await settle(lambda: stands_alone(running))
            await everybody_is_served(applied.listeners[0].address)
            trouble = "Worker 0 cannot be started, and is tried again: Resource temporarily unavailable."
            assert trouble in running.announced

    run(scenario())
