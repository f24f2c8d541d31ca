"""The corpus of oddities through sockets both ways, with aiohttp's server behind the gateway."""

from __future__ import annotations

import pytest

from tests.proxy.both_ways.oracle import FAST, GENERAL
from tests.proxy.differential.backends import aiohttp_server
from tests.proxy.differential.trial import Trial, trial
from tests.proxy.io.bench import run


@pytest.mark.no_cover
@pytest.mark.parametrize(("way", "warm"), [("general", 0), ("fast", 0), ("fast", 2)])
def test_server_of_aiohttp_sees_what_was_forwarded_and_nothing_else(way: str, warm: int) -> None:
    async def scenario() -> Trial:
        async with aiohttp_server() as backend:
            return await trial(backend, limits=GENERAL if way == "general" else FAST, warm=warm)

    done = run(scenario())
    assert [] == done.wrong
    assert done.requests > 200
