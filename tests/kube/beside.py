"""Tasks beside a test: let everything run that can, and run something for as long as a block lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from wardgate.tasks import spawn


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def beside(work: Coroutine[object, object, object], *, name: str) -> AsyncIterator[None]:
    """Run it beside the block. It must not end before."""
    task = spawn(work, name=name)
    await settle()
    try:
        yield
        assert not task.done(), f"{name} ended."
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
