"""The caller's connection, as far as the stream on it knows it."""

from __future__ import annotations

from typing import Protocol

from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.http1.server_connection import ServerConnection
from wardgate.proxy.io.downstream.deadlines import Deadlines
from wardgate.proxy.io.downstream.outbox import Outbox


class CallerSide(Protocol):
    """``port`` is the listener's own; ``peer`` is the address of the caller as the log shows it."""

    port: int
    peer: str
    caller: Caller
    deadlines: Deadlines
    outbox: Outbox
    requests: ServerConnection

    def flow(self) -> None:
        """``request_paused`` has changed: stop or go on reading."""

    def finished(self, stream: object, *, keep_alive: bool) -> None:
        """The response is written; go on with the next request, or end."""

    def abort(self) -> None:
        """Cut the connection: the caller must not take half a response for a whole one."""
