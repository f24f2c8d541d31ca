"""A worker that cannot serve the config in force, by doubles that answer for processes."""

from __future__ import annotations

import asyncio
from typing import cast

from wardgate.ir import GatewayConfig
from wardgate.proxy.rollout import catch_up
from wardgate.proxy.worker_process import ConfigAnswer, WorkerProcess
from wardgate.wire.bundle import Bundle
from wardgate.wire.encode import encode

BUNDLE = encode(GatewayConfig())


class Double:
    """Has refused a revision, or was never offered one; ``takes`` it the next time."""

    def __init__(self, *, refused: str, takes: bool) -> None:
        self.offered = self.refused = refused
        self._takes = takes
        self.offers = 0
        self.is_ended = False

    async def hand_over(self, bundle: Bundle, *, within: float) -> ConfigAnswer:
        self.offers += 1
        self.offered = bundle.revision
        self.refused = "" if self._takes else bundle.revision
        return ConfigAnswer(() if self._takes else ("It cannot.",), serves=self._takes, refused=not self._takes)

    def kill(self) -> None:
        self.is_ended = True


def test_worker_that_still_cannot_serve_the_config_in_force_is_ended() -> None:
    stubborn, late = Double(refused=BUNDLE.revision, takes=False), Double(refused="", takes=True)
    content, serving = Double(refused=BUNDLE.revision, takes=True), Double(refused="", takes=True)
    serving.offered = BUNDLE.revision
    workers = cast("dict[int, WorkerProcess]", dict(enumerate((stubborn, late, content, serving))))
    assert ["It cannot."] == asyncio.run(catch_up(BUNDLE, workers, within=1.0))
    assert [(1, True), (1, False), (1, False), (0, False)] == [
        (each.offers, each.is_ended) for each in (stubborn, late, content, serving)
    ]
