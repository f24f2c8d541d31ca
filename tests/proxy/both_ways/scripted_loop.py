"""An event loop without a kernel: it runs what is ready and stands still; time and peers are the test's.

So a conversation of many connections is the same each time it is played, and takes no time to wait.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context
from types import TracebackType
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
_MOST_TURNS = 200_000
"""Callbacks after which a loop that still has work is taken to spin."""


class Network(Protocol):
    """Takes the connections that the product opens."""

    def connect(self, protocol: asyncio.Protocol, host: str, *, port: int) -> asyncio.Transport:
        """Connect at once. Raises ``OSError``."""


class SpinningError(Exception):
    """The loop does not come to rest."""


class ScriptedLoop(asyncio.AbstractEventLoop):
    """``clock`` in seconds; ``network`` answers ``create_connection``. ``errors``: what no callback caught."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ready: deque[asyncio.Handle] = deque()
        self._quiet: deque[Callable[[], object]] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0
        self.network: Network | None = None
        self.errors: list[str] = []

    def rest(self) -> None:
        """Run what is ready and what is due, until nothing is. Raises ``SpinningError``."""
        with self._running():
            for _ in range(_MOST_TURNS):
                self._collect_due()
                if not self._ready and self._quiet:
                    self.call_soon(self._quiet.popleft())
                if not self._ready:
                    return
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        raise SpinningError(repr(self._ready[0]))

    def when_quiet(self, callback: Callable[[], object]) -> None:
        """Run once nothing else is ready: so no outcome depends on how many turns of the loop something takes."""
        self._quiet.append(callback)

    def finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine that waits for nothing but the loop's next turns."""
        task = self.create_task(work)
        self.rest()
        result: _T = task.result()
        return result

    def _running(self) -> AbstractContextManager[None]:
        return _running(self)

    def _collect_due(self) -> None:
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            self._ready.append(heapq.heappop(self._timers)[2])

    # What the product asks of a loop.

    def time(self) -> float:
        """Seconds, as the test has them."""
        return self._clock()

    def get_debug(self) -> bool:
        """Whether futures keep their stack."""
        return False

    def is_running(self) -> bool:
        """Whether a callback asks."""
        return True

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Run in this turn, behind what is ready."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run once the clock has gone on."""
        return self.call_at(self._clock() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run once the clock is there."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer stays where it is, and is passed over."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, **_: Any) -> asyncio.Task[Any]:
        """Run a coroutine."""
        return asyncio.Task(coro, loop=self, name=name)

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:
        """Connect to a script."""
        assert self.network is not None
        protocol = protocol_factory()
        return self.network.connect(protocol, host, port=port), protocol

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong."""
        error = context.get("exception")
        self.errors.append(f"{context['message']} {error!r} {_place(error.__traceback__ if error else None)}")


@contextmanager
def _running(loop: ScriptedLoop) -> Any:
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


def _place(trace: TracebackType | None) -> str:
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(places[-4:])
