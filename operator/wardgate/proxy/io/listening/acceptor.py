"""Accepts the connections of a listener with TLS or PROXY headers, and counts a caller's before they cost anything.

A server of asyncio tells of a connection only once its handshake is over; until then it is nobody's, and a caller could
open as many as there are descriptors. Here each is charged to its address from the moment that it is accepted, and to
the caller's once a load balancer has introduced it. After the handshake the protocol charges it anew, as a caller's
connection like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from wardgate.proxy.core.auth.caller import counted_address
from wardgate.proxy.core.origin.addresses import shown_address
from wardgate.proxy.core.origin.front import CompiledFront
from wardgate.proxy.core.origin.proxy_header import Introduction, Unread
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.listening.accept_queue import Arrivals, waiting
from wardgate.proxy.io.listening.introduction import introduction_on

_AT_ONCE = 64
"""Connections accepted before others get a turn."""
_PAUSE = 1.0
"""Seconds after which accepting is tried again where the process has no descriptor left."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The steps between accepting a connection and serving it.

    ``context`` None: no TLS. ``protocol`` gets the address that a PROXY header introduced, empty without one, and
    ``refused`` hears why a connection was closed. ``timeout``: seconds, for the header and for the handshake.
    """

    front: CompiledFront
    context: ssl.SSLContext | None
    protocol: Callable[[str], asyncio.BaseProtocol]
    handshakes: Budget
    timeout: float
    arrivals: Arrivals
    refused: Callable[[ReplyReason], None]


class Acceptor:
    """Owns ``sock``, which is listening and does not block."""

    def __init__(self, sock: socket.socket, opening: Opening) -> None:
        self._sock = sock
        self._opening = opening
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
            self._take(connection, shown_address(host))

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
            self._take(connection, shown_address(str(peer[0])))

    def _take(self, connection: socket.socket, peer: str) -> None:
        front = self._opening.front
        refusal: ReplyReason | None
        if front.proxy_protocol and not front.believes(peer):
            refusal = ReplyReason.PROXY_UNTRUSTED
        else:
            refusal = self._opening.handshakes.take(counted_address(peer))
        if refusal is None:
            connection.setblocking(False)
            self._opening.arrivals.take(_Arrival(connection, peer=peer, opening=self._opening).open())
        else:
            connection.close()
            self._opening.refused(refusal)


class _Arrival:
    """One connection that was accepted, and charged to its ``peer``."""

    def __init__(self, connection: socket.socket, *, peer: str, opening: Opening) -> None:
        self._connection = connection
        self._peer = peer
        self._charged = counted_address(peer)
        self._opening = opening

    async def open(self) -> None:
        """Take it through to its protocol, or close it."""
        opening = self._opening
        try:
            introduced = ""
            if opening.front.proxy_protocol:
                introduced = await self._introduced()
                if not introduced:
                    return
            await self._hand_on(introduced)
        finally:
            opening.handshakes.give_back(self._charged)

    async def _introduced(self) -> str:
        """Return the address of the caller that the load balancer speaks for; empty: the connection is closed."""
        refusal: ReplyReason | None = ReplyReason.PROXY_HEADER
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._opening.timeout):
                found = await introduction_on(self._connection)
            if isinstance(found, Introduction):
                source = shown_address(found.source or self._peer)
                refusal = self._charge(source)
                if refusal is None:
                    return source
            elif found is Unread.UNFINISHED:
                refusal = None  # a load balancer looks whether somebody listens, and says nothing
        self._connection.close()
        if refusal is not None:
            self._opening.refused(refusal)
        return ""

    def _charge(self, source: str) -> ReplyReason | None:
        address = counted_address(source)
        refusal = self._opening.handshakes.pass_on(1, giver=self._charged, taker=address)
        if refusal is None:
            self._charged = address
        return refusal

    async def _hand_on(self, introduced: str) -> None:
        opening = self._opening
        with contextlib.suppress(OSError):  # a handshake that fails, or takes too long, is the caller's affair
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: opening.protocol(introduced),
                self._connection,
                ssl=opening.context,
                ssl_handshake_timeout=None if opening.context is None else opening.timeout,
            )
