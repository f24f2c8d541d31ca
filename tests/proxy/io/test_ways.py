"""Tests that serve run both ways, and the ways differ in what they should."""

from __future__ import annotations

import pytest

from tests.proxy.io.bench import CREDENTIAL, KEY, OK, WAY, answering, guarded, providing, run, serving

GET = f"GET / HTTP/1.1\r\nHost: h\r\napi-key: {KEY}\r\n\r\n".encode()


def test_plain_requests_take_the_fast_path_unless_the_way_is_general() -> None:
    async def scenario() -> int:
        async with providing(answering(OK)) as provider, serving() as bench:
            await bench.apply(guarded(provider.port, credentials=(CREDENTIAL,)))
            caller = await bench.connect()
            for _ in range(3):
                await caller.send(GET)
                assert 200 == (await caller.response())[0]
            return bench.counters.prepared

    assert (0 if WAY.is_general else 2) == run(scenario())


def test_tests_that_serve_are_told_their_way(request: pytest.FixtureRequest) -> None:
    assert WAY.is_general is (request.node.callspec.params["way"] == "general")
