"""Requests clean up behind themselves: no cycle of objects is left for the garbage collector.

One cycle through a stream costs a tenth of a request, and the bodies that it holds stay until a collection.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator

import pytest

from tests.proxy.io.bench import (
    CREDENTIAL,
    KEY,
    OK,
    answering,
    config,
    guarded,
    open_route,
    providing,
    reading_body,
    routed,
    run,
    serving,
    settle,
)
from wardgate.ir import GatewayConfig, HeaderTemplate, MessageTemplate, TransformationPlan

LAST = OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
POST = f"POST /v1 HTTP/1.1\r\nHost: h\r\napi-key: {KEY}\r\nContent-Length: 2\r\n\r\nhi".encode()


def admitting(port: int) -> GatewayConfig:
    """A route behind an API key, with the key of the requests."""
    return guarded(port, credentials=(CREDENTIAL,))


def reading_response(port: int) -> GatewayConfig:
    """A route whose plan reads the response's body."""
    measured = (HeaderTemplate("x-read", "{{ isString(body()) }}"),)
    plan = TransformationPlan("p", "post", response=MessageTemplate(headers=measured, parse_body="DontParse"))
    return config(port, listeners=routed(open_route(transformations=("p",))), transformations=(plan,))


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What a collection finds, kept instead of freed."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("served", [config, admitting, reading_body, reading_response])
@pytest.mark.parametrize("answer", [OK, OK.replace(b"HTTP/1.1 200", b"HTTP/1.1 503")])
def test_request_leaves_nothing_to_the_garbage_collector(
    served: Callable[[int], GatewayConfig], answer: bytes, garbage: list[object]
) -> None:
    async def scenario() -> None:
        async with providing(answering(answer)) as provider, serving() as bench:
            await bench.apply(served(provider.port))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(POST)
                assert answer[9:12] == (await caller.head())[9:12]
                await caller.reader.readexactly(2)
            gc.collect()

    run(scenario())
    assert [] == [left for left in garbage if type(left).__module__.startswith("wardgate.proxy")]


@pytest.mark.parametrize("served", [config, admitting])
def test_ended_connections_leave_nothing_to_the_garbage_collector(
    served: Callable[[int], GatewayConfig], garbage: list[object]
) -> None:
    """What lives when a config changes is not looked through any more (``worker``): a cycle of it would stay."""

    async def scenario() -> None:
        async with providing(answering(LAST)) as provider, serving() as bench:
            await bench.apply(served(provider.port))
            caller = await bench.connect()
            for _ in range(2):
                await caller.send(POST)
                await caller.response()
            caller.close()
            await settle(lambda: not bench.connections)
            gc.collect()

    run(scenario())
    assert [] == [left for left in garbage if type(left).__module__.startswith("wardgate.proxy")]


def test_config_that_is_replaced_leaves_nothing_to_the_garbage_collector(garbage: list[object]) -> None:
    async def scenario() -> None:
        async with serving() as bench:
            for served in (admitting(1), reading_body(1), reading_response(1), guarded(2)):
                await bench.apply(served)
            await asyncio.sleep(0)
            gc.collect()

    run(scenario())
    assert [] == [left for left in garbage if type(left).__module__.startswith("wardgate")]


def test_refused_request_leaves_nothing_to_the_garbage_collector(garbage: list[object]) -> None:
    async def scenario() -> None:
        async with serving() as bench:
            await bench.apply(guarded(1))
            caller = await bench.connect()
            for request in (POST, POST.replace(KEY.encode(), b"wrong")):
                await caller.send(request)
                await caller.response()
            gc.collect()

    run(scenario())
    assert [] == [left for left in garbage if type(left).__module__.startswith("wardgate.proxy")]
