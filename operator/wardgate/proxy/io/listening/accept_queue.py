"""Connections on their way from a listening socket to a protocol, and the queue that is emptied before it is closed.

The kernel has answered the handshakes of those in the queue, so their callers take them for connections, and may have
sent a request already. Closing the socket would reset every one of them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Iterator

from wardgate.tasks import spawn

_MOST = 8192
"""Connections; more than any queue holds, so that callers who go on connecting do not hold an ending up for ever."""


class Arrivals:
    """Connections that are accepted and have no protocol yet: a handshake goes on, or their turn has not come."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, work: Coroutine[object, object, None]) -> None:
        """Run what leads a connection to its protocol."""
        task = spawn(work, name="arrival")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def over(self) -> None:
        """Wait until every one of them has its protocol, or is gone."""
        # A server tells its protocol of a connection in the turn after the one in which it accepts.
        await asyncio.sleep(0)
        if self._tasks:
            await asyncio.wait(tuple(self._tasks))


def waiting(sock: socket.socket) -> Iterator[tuple[socket.socket, str]]:
    """Accept what waits; yield each connection with its caller's host. ``sock`` does not block.

    The socket is to be closed without a pause after the last one: who connects in between is reset.
    """
    for _ in range(_MOST):
        try:
            connection, peer = sock.accept()
        except ConnectionAbortedError:
            continue
        except OSError:
            return  # the queue is empty, or this process has no descriptor left
        connection.setblocking(False)
        yield connection, str(peer[0])
