"""The one way to start a background task: the reference is kept until it ends, and a failure is never silent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

_T = TypeVar("_T")
_running: set[asyncio.Task[object]] = set()


def spawn(work: Coroutine[object, object, _T], *, name: str) -> asyncio.Task[_T]:
    """Run ``work`` in the running loop. An exception nobody awaits goes to the loop's exception handler."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_forget)
    return task


async def all_of(works: Iterable[tuple[str, Coroutine[object, object, _T]]]) -> list[_T]:
    """Run what is named side by side; return the results in their order.

    After the first error the others are cancelled, and it is raised when they are gone. A task group of
    Python 3.11 and 3.12 that is cancelled while a task of it fails tells of the failure alone, and whoever tries again
    then never ends: here the cancellation counts.
    """
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work, name=name) for name, work in works]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if errors:
        raise errors[0]
    return [task.result() for task in tasks]


def _forget(task: asyncio.Task[object]) -> None:
    _running.discard(task)
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        task.get_loop().call_exception_handler(
            {"message": f"The background task {task.get_name()} failed.", "exception": error, "task": task}
        )
