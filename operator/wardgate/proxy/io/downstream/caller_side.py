"""The caller's connection, as far as the streams on it know it.

Base classes and no protocols: compiled, their attributes are read and their methods called without a look-up by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.core.origin.origin import RequestOrigin
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.io.downstream.outbox import Outbox


class CallerSide(ABC):
    """``port`` is the listener's own; ``origin`` is that of the request that was begun last."""

    __slots__ = ("deadlines", "origin", "outbox", "port", "requests")

    port: int
    origin: RequestOrigin
    deadlines: Deadlines
    outbox: Outbox
    requests: ServerConnection

    @abstractmethod
    def flow(self) -> None:
        """``request_paused`` has changed: stop or go on reading."""

    @abstractmethod
    def finished(self, stream: object, *, keep_alive: bool) -> None:
        """The response is written; go on with the next request, or end."""

    @abstractmethod
    def abort(self) -> None:
        """Cut the connection: the caller must not take half a response for a whole one."""
