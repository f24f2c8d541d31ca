"""The caller's connection, as far as the stream on it knows it."""

from __future__ import annotations

from typing import Protocol

from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.core.origin.origin import RequestOrigin
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.io.downstream.outbox import Outbox


class CallerSide(Protocol):
    """``port`` is the listener's own; ``origin`` is that of the request that was begun last."""

    port: int
    origin: RequestOrigin
    deadlines: Deadlines
    outbox: Outbox
    requests: ServerConnection

    def flow(self) -> None:
        """``request_paused`` has changed: stop or go on reading."""

    def finished(self, stream: object, *, keep_alive: bool) -> None:
        """The response is written; go on with the next request, or end."""

    def abort(self) -> None:
        """Cut the connection: the caller must not take half a response for a whole one."""
