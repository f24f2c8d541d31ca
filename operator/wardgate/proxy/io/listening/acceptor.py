"""Accepts the connections of a listener with TLS, and counts a caller's before a handshake costs anything.

A server of asyncio tells of a connection only once its handshake is over; until then it is nobody's, and a caller could
open as many as there are descriptors. Here each is charged to its address from the moment that it is accepted. After
the handshake the protocol charges it anew, as a caller's connection like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from wardgate.proxy.core.auth.caller import counted_address
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.listening.accept_queue import Arrivals, waiting

_AT_ONCE = 64
"""Connections accepted before others get a turn."""
_PAUSE = 1.0
"""Seconds after which accepting is tried again where the process has no descriptor left."""


class Acceptor:
    """Owns ``sock``, which is listening and does not block. ``refused`` hears why a connection was closed at once."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        context: ssl.SSLContext,
        protocol: Callable[[], asyncio.BaseProtocol],
        handshakes: Budget,
        timeout: float,
        arrivals: Arrivals,
        refused: Callable[[ReplyReason], None],
    ) -> None:
        self._sock = sock
        self._context = context
        self._protocol = protocol
        self._handshakes = handshakes
        self._timeout = timeout
        self._arrivals = arrivals
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._later: asyncio.TimerHandle | None = None
        self._loop.add_reader(sock, self._readable)

    def close(self) -> None:
        """Accept no more. Handshakes that have begun go on."""
        if self._later is not None:
            self._later.cancel()
        self._loop.remove_reader(self._sock)
        self._sock.close()

    def finish(self, sock: socket.socket) -> None:
        """Accept no more than what the queue of ``sock`` holds."""
        self.close()
        for connection, host in waiting(sock):
            self._take(connection, counted_address(host))

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, peer = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                # The connection stays in the queue, so the socket stays readable: without a pause this would spin.
                self._loop.remove_reader(self._sock)
                self._later = self._loop.call_later(_PAUSE, self._loop.add_reader, self._sock, self._readable)
                return
            self._take(connection, counted_address(str(peer[0])))

    def _take(self, connection: socket.socket, address: bytes) -> None:
        refusal = self._handshakes.take(address)
        if refusal is None:
            connection.setblocking(False)
            self._arrivals.take(self._shake_hands(connection, address))
        else:
            connection.close()
            self._refused(refusal)

    async def _shake_hands(self, connection: socket.socket, address: bytes) -> None:
        try:
            with contextlib.suppress(OSError):  # a handshake that fails, or takes too long, is the caller's affair
                await self._loop.connect_accepted_socket(
                    self._protocol, connection, ssl=self._context, ssl_handshake_timeout=self._timeout
                )
        finally:
            self._handshakes.give_back(address)
