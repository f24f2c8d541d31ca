"""kopf is told to be over when it is of no use any more, whether it ends by itself or hangs. (kopf is a stand-in.)"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from kopf._core.reactor import orchestration

from wardgate.kube.api.access import Access
from wardgate.kube.watch import kopf_thread
from wardgate.kube.watch.kind_resources import resource_of
from wardgate.kube.watch.kopf_thread import KopfThread
from wardgate.tasks import spawn

SECONDS = 10.0


async def _watch_for_ever() -> None:
    """A watcher that takes its cancellation for something else."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
            return
        if over.is_set():
            raise asyncio.CancelledError


async def _fail() -> None:
    await asyncio.sleep(5 * kopf_thread._LOOK)
    raise PermissionError


over = threading.Event()


def _run(
    monkeypatch: pytest.MonkeyPatch,
    operator: Callable[..., Awaitable[None]],
    scenario: Callable[[KopfThread], Awaitable[None]],
) -> None:
    monkeypatch.setattr(kopf_thread, "_LOOK", 0.02)
    monkeypatch.setattr("kopf.operator", operator)
    over.clear()

    async def main() -> None:
        async def access() -> Access:
            raise AssertionError

        thread = KopfThread(
            [resource_of("RouteTable")],
            namespaces=(),
            silence=75.0,
            random=lambda: 0.0,
            access=access,
            observe=lambda _: None,
        )
        thread.start()
        try:
            async with asyncio.timeout(SECONDS):
                await scenario(thread)
        finally:
            over.set()
            await thread.stop()

    asyncio.run(main())


def test_kopf_that_hangs_after_a_watch_failed_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def operator(*, stop_flag: asyncio.Event, **_: Any) -> None:
        failing = spawn(_fail(), name="watcher for routetables")
        other = spawn(_watch_for_ever(), name="watcher for virtualgateways")
        await asyncio.wait([failing, other], return_when=asyncio.FIRST_COMPLETED)
        with suppress(PermissionError):
            failing.result()
        other.cancel()
        await stop_flag.wait()
        other.cancel()

    async def scenario(thread: KopfThread) -> None:
        assert "a watch failed" == await thread.ended

    _run(monkeypatch, operator, scenario)


def test_kopf_that_cancels_a_watch_without_an_end_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def operator(*, stop_flag: asyncio.Event, **_: Any) -> None:
        watcher = spawn(_watch_for_ever(), name="watcher for routetables")
        await asyncio.sleep(5 * kopf_thread._LOOK)
        watcher.cancel()
        await stop_flag.wait()
        watcher.cancel()

    async def scenario(thread: KopfThread) -> None:
        assert "a watch failed" == await thread.ended

    _run(monkeypatch, operator, scenario)


def test_kopf_that_watches_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()

    async def operator(*, stop_flag: asyncio.Event, **_: Any) -> None:
        for kind in ("routetables", "virtualgateways"):
            spawn(asyncio.Event().wait(), name=f"watcher for {kind}")
            await asyncio.sleep(2 * kopf_thread._LOOK)
        looked.set()
        await stop_flag.wait()

    async def scenario(thread: KopfThread) -> None:
        assert await asyncio.to_thread(looked.wait, SECONDS)
        assert not thread.ended.done()
        await thread.stop()
        assert "" == await thread.ended

    _run(monkeypatch, operator, scenario)


def test_kopf_that_ends_by_an_error_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    async def operator(**_: Any) -> None:
        raise PermissionError

    async def scenario(thread: KopfThread) -> None:
        assert "PermissionError" == await thread.ended

    _run(monkeypatch, operator, scenario)


def test_kopf_names_its_watching_tasks_as_we_look_for_them() -> None:
    assert f'name=f"{kopf_thread.WATCHER}{{what}}"' in inspect.getsource(orchestration)
