"""Accepts the connections of a listener in clear."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from wardgate.proxy.io.listening.accept_queue import Arrivals, waiting
from wardgate.proxy.sockets import BACKLOG


class ClearServer:
    """Made by ``open``."""

    def __init__(
        self, server: asyncio.Server, *, protocol: Callable[[], asyncio.BaseProtocol], arrivals: Arrivals
    ) -> None:
        self._server = server
        self._protocol = protocol
        self._arrivals = arrivals

    @classmethod
    async def open(
        cls, sock: socket.socket, *, protocol: Callable[[], asyncio.BaseProtocol], arrivals: Arrivals
    ) -> ClearServer:
        """Accept at ``sock``, which is listening; it is closed with the server."""
        # Without the number, the loop would listen again with a shorter queue.
        server = await asyncio.get_running_loop().create_server(protocol, sock=sock, backlog=BACKLOG)
        return cls(server, protocol=protocol, arrivals=arrivals)

    def close(self) -> None:
        """Accept no more; what is queued stays so."""
        self._server.close()

    def finish(self, sock: socket.socket) -> None:
        """Accept no more than what the queue of ``sock`` holds."""
        self.close()
        for connection, _ in waiting(sock):
            self._arrivals.take(self._begin(connection))

    async def _begin(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a caller that is gone already
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
