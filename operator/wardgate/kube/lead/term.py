"""One stretch of leading. Whatever this replica does only while it leads is done in a term, and ends with it.

Rule 1: the term is the only flag. Whoever writes what only the leader writes is handed the term, and asks it.
Rule 2: a term ends once, for good: the Lease is lost, a write shows that another replica writes, or the process ends.
Taking over again is another term, so nothing that was begun in an earlier one is mistaken for its own.
Rule 3: the end cancels all work of the term through one task group, and ``run`` returns when the last of it is gone.

How a replica comes to lead is not decided here (``lease``), nor what there is to do (``control.duties``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

from wardgate.kube.lead.fence import Deposed

Part: TypeAlias = Callable[[], Coroutine[object, object, object]]
_T = TypeVar("_T")
NOT_LEADING: Final = "This operator does not lead: it must take over before it writes."


class Term:
    """``identity`` names the replica; ``began`` is the time of day, in Unix seconds. Owned by one event loop."""

    def __init__(self, identity: str, *, began: float) -> None:
        self.identity = identity
        self.writer = f"{identity} since {_timestamp(began)}"
        """The name under which this term writes; no other term has it."""
        self.cause: Deposed | None = None
        """The write that showed that another replica writes, if that is how the term ended."""
        self._group: asyncio.TaskGroup | None = None
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing may be written in this term any more."""
        return self._over.is_set()

    @property
    def is_leading(self) -> bool:
        """Whether the work of the term has begun and goes on: what was there is taken over."""
        return self._group is not None and not self.is_over

    def check(self) -> None:
        """Raise ``Deposed`` if the term is over."""
        if self.is_over:
            raise Deposed(NOT_LEADING)

    def end(self, cause: Deposed | None = None) -> None:
        """End the term, and cancel its work. Of several causes the first one counts."""
        if not self.is_over:
            self.cause = cause
            self._over.set()

    async def run(self, parts: Mapping[str, Part]) -> None:
        """Work at all parts side by side until the term ends. Raises the error of a part, which ends the others."""
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for name, part in parts.items():
                    group.create_task(part(), name=name)
                try:
                    await self._over.wait()
                finally:
                    # At once, and not when the last part is gone: what ends does not write any more.
                    self.end()
                raise _OverError
        except* _OverError:
            pass
        except* Exception as failures:  # noqa: BLE001 - raised below, out of its group
            failure = _first(failures)
        if failure is not None:
            # A task group forgets that it was cancelled when a part fails at the same moment. Whoever cancelled us
            # must not be told that the work may be tried again.
            if _is_being_cancelled():
                raise asyncio.CancelledError
            raise failure

    async def write(self, work: Coroutine[object, object, _T]) -> _T:
        """The result of ``work``, done as a part of the term. Raises what it raises, and ``Deposed`` once it is over.

        For writers that outlive a term: an error here is theirs, and ends nothing.
        """
        if self._group is None or self.is_over:
            work.close()
            raise Deposed(NOT_LEADING)
        settled = _settled(work)
        try:
            task = self._group.create_task(settled)
        except RuntimeError:
            # A part has failed, and the group knows it a moment before the term does.
            settled.close()
            work.close()
            raise Deposed(NOT_LEADING) from None
        try:
            return (await task)()
        except asyncio.CancelledError:
            if _is_being_cancelled():
                raise
            # The term was cancelled, not we.
            raise Deposed(NOT_LEADING) from None
        finally:
            work.close()  # It may have been cancelled before it began.


class _OverError(Exception):
    """Makes the task group cancel its tasks."""


async def _settled(work: Coroutine[object, object, _T]) -> Callable[[], _T]:
    """Return or raise only when called: an error raised in a task of the group would cancel the others."""
    try:
        result = await work
    except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the result is asked for
        failure = error
    else:
        return lambda: result

    def fail() -> _T:
        raise failure

    return fail


def _first(failures: BaseExceptionGroup[Exception]) -> Exception:
    found = failures.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _timestamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
