"""A worker process alone on its pipe: it ends when nobody is left to tell it of a revoked key."""

from __future__ import annotations

import pytest

from tests.proxy.io.bench import run, settle
from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.worker_process import WorkerProcess

pytestmark = [pytest.mark.slow, pytest.mark.measured]


def test_a_worker_without_a_supervisor_ends() -> None:
    async def scenario() -> None:
        worker = WorkerProcess(0, on_metrics=lambda *_: None, on_problem=lambda _: None)
        await worker.start(ProxySettings(admin=""))
        await settle(lambda: worker.ready)
        worker.hang_up()
        assert await worker.gone() == 0

    run(scenario())


def test_a_worker_that_was_never_started_needs_no_end() -> None:
    worker = WorkerProcess(0, on_metrics=lambda *_: None, on_problem=lambda _: None)
    worker.kill()
    run(worker.stop(within=1.0))
    assert not worker.ready
