"""The callers' connections of a worker: how many there may be, of all callers and of each, and those that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Protocol

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.counters import Counters
from wardgate.proxy.io.budget import Budget

_MOST_TURNED_AWAY = 64


class CallerConnection(Protocol):
    """One of them, as far as the worker needs to know it."""

    def drain(self) -> None:
        """End soon if idle; a request in flight, or arriving, is finished first."""

    def cut(self) -> None:
        """End at once, and account for the request in flight."""

    def tick(self, now: float) -> None:
        """Act on what took too long."""


class CallerConnections:
    """``budget`` counts connections, each charged to the address that ``counted_address`` gives.

    A believed proxy's connection carries many callers and is charged to itself alone. ``requests``: that may be in
    flight on all of them.
    """

    __slots__ = ("_budget", "_counters", "_none_open", "_open", "_requests", "draining", "idle_time", "turned_away")

    def __init__(self, budget: Budget, *, counters: Counters, requests: int, idle_time: float) -> None:
        self._budget = budget
        self._requests = requests
        self._counters = counters
        self._open: dict[CallerConnection, Hashable] = {}
        self._none_open = asyncio.Event()
        self.draining = False
        """Whether each response is the last one of its connection."""
        self.idle_time = idle_time
        """Seconds that a connection may be without a request."""
        self.turned_away = 0
        """Connections without room, whose callers are being told so."""

    @property
    def open(self) -> tuple[CallerConnection, ...]:
        """Those of the moment; acting on one may end it."""
        return tuple(self._open)

    def admit(self, connection: CallerConnection, *, holder: Hashable) -> ReplyReason | None:
        """Take a connection, or say why there are too many, of all callers or of this one."""
        refusal = self._budget.take(holder)
        if refusal is not None:
            self._counters.refused_connection(refusal)
            return refusal
        self._open[connection] = holder
        self._counters.connections += 1
        return None

    def has_room(self) -> bool:
        """Whether another request may be in flight."""
        return self._counters.in_flight < self._requests

    def may_turn_away(self) -> bool:
        """Whether a caller without room can be told so; whoever asks counts ``turned_away`` down again."""
        if self.turned_away >= _MOST_TURNED_AWAY:
            return False
        self.turned_away += 1
        return True

    def leave(self, connection: CallerConnection) -> None:
        """A connection ended, admitted or not."""
        holder = self._open.pop(connection, None)
        if holder is not None:
            self._budget.give_back(holder)
            self._counters.connections -= 1
        if not self._open:
            self._none_open.set()

    def tick(self, now: float) -> None:
        """Have each look at its deadlines."""
        for connection in self.open:
            connection.tick(now)

    def drain(self, *, idle_time: float) -> None:
        """Let each connection end with the request that it carries, or after so many seconds without one."""
        self.draining = True
        self.idle_time = min(self.idle_time, idle_time)
        for connection in self.open:
            connection.drain()

    async def ended(self) -> None:
        """Wait until there is no connection."""
        if self._open:
            self._none_open.clear()
            await self._none_open.wait()

    def cut(self) -> None:
        """End what is still in flight, such as what outlasts the draining; each request leaves its line in the log."""
        for connection in self.open:
            connection.cut()
