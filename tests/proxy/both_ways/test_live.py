"""Callers through sockets, all at once: nobody gets another's bytes, and nothing hangs."""

from __future__ import annotations

import pytest

from tests.proxy.both_ways.live import Outcome, live
from tests.proxy.both_ways.oracle import FAST, GENERAL
from tests.proxy.io.bench import run


@pytest.mark.no_cover
@pytest.mark.parametrize("way", ["general", "fast"])
def test_many_callers_at_once_get_their_own_responses(way: str) -> None:
    async def scenario() -> Outcome:
        return await live(1, turns=12, limits=FAST if way == "fast" else GENERAL)

    done = run(scenario())
    assert [] == done.faults
    assert done.requests > 150
    assert (way == "fast") is (done.fast > 0)
