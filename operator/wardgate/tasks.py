"""The one way to start a background task: the reference is kept until it ends, and a failure is never silent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_T = TypeVar("_T")
_running: set[asyncio.Task[object]] = set()


def spawn(work: Coroutine[object, object, _T], *, name: str) -> asyncio.Task[_T]:
    """Run ``work`` in the running loop. An exception nobody awaits goes to the loop's exception handler."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_forget)
    return task


def _forget(task: asyncio.Task[object]) -> None:
    _running.discard(task)
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        task.get_loop().call_exception_handler(
            {"message": f"The background task {task.get_name()} failed.", "exception": error, "task": task}
        )
