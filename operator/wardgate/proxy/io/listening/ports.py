"""The listening sockets of a worker, and what serves each of them while the table in force has a listener for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, Protocol

from wardgate.ir import FrontProxies, Listener, ListenerTls
from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.listening.accept_queue import Arrivals
from wardgate.proxy.io.listening.acceptor import Acceptor, Opening
from wardgate.proxy.io.listening.clear_server import ClearServer
from wardgate.proxy.io.listening.hang_up import HangUp
from wardgate.proxy.io.tls import Stamp, TlsConfigError, TlsFactory

OWN: Final = -1
"""The owner of a worker's own sockets."""


class _Server(Protocol):
    def close(self) -> None: ...
    def finish(self, sock: socket.socket) -> None: ...


class _Port:
    """A listening socket of a listener's port, and the server on it.

    ``owner``: the worker, stuck or gone, whose socket it is. ``stamp``: of the files that the server was made of.
    """

    __slots__ = ("front", "listener", "number", "owner", "server", "sock", "stamp", "tls")

    def __init__(self, number: int, sock: socket.socket, *, owner: int) -> None:
        self.number = number
        self.owner = owner
        self.sock = sock
        self.listener: CompiledListener | None = None
        self.stamp: Stamp = ()
        self.server: _Server | None = None
        self.tls: ListenerTls | None = None
        self.front = FrontProxies()

    def close(self) -> None:
        """Serve no more; what is queued at the socket waits for the next server."""
        if self.server is not None:
            self.server.close()
            self.server = None

    def leave(self) -> None:
        """Serve no more, and let the socket go."""
        self.close()
        self.sock.close()

    def finish(self) -> None:
        """Stop listening, once nothing is queued at the socket."""
        if self.server is not None:
            self.server.finish(self.sock)
            self.server = None
        self.sock.close()

    def serves(self, listener: Listener) -> bool:
        """Whether the server does what the listener asks for."""
        return self.server is not None and self.tls == listener.tls and self.front == listener.front

    def duplicate(self) -> socket.socket:
        """A server closes its socket with itself; the duplicate keeps what is queued for the next one."""
        return self.sock.dup()


class Ports:
    """``protocol(port, address)`` makes a caller's protocol; ``refused`` hears why one got none.

    The address is the one that a PROXY header introduced, and empty without one.
    """

    def __init__(
        self,
        *,
        protocol: Callable[[int, str], asyncio.BaseProtocol],
        tls: TlsFactory,
        handshakes: Budget,
        handshake_timeout: float,
        refused: Callable[[ReplyReason], None],
    ) -> None:
        self._protocol = protocol
        self._tls = tls
        self._handshakes = handshakes
        self._handshake_timeout = handshake_timeout
        self._refused = refused
        self._arrivals = Arrivals()
        self._ports: list[_Port] = []
        self._change = asyncio.Lock()

    def add(self, number: int, sock: socket.socket) -> None:
        """Take a listening socket, one of its port's; it is served once a table has a listener for the port."""
        sock.setblocking(False)
        self._ports.append(_Port(number, sock, owner=OWN))

    async def borrow(self, number: int, sock: socket.socket, *, owner: int, table: Callable[[], Table | None]) -> None:
        """Take a socket of another worker, and serve it as the table in force says, or one that follows it."""
        sock.setblocking(False)
        self._ports.append(_Port(number, sock, owner=owner))
        await self.catch_up(table)

    async def catch_up(self, table: Callable[[], Table | None]) -> None:
        """Serve sockets that have come after the table in force."""
        async with self._change:
            # Asked now, because another table may have come into force while this waited for its turn.
            now = table()
            if now is None:
                return
            for port in tuple(self._ports):
                listener = now.listeners.get(port.number)
                if listener is not None and not port.serves(listener.spec):
                    port.listener = listener
                    await self._try(port, listener)

    async def give_back(self, owner: int) -> None:
        """Leave the sockets of another worker to it, and what is queued there."""
        async with self._change:
            for port in [port for port in self._ports if port.owner == owner]:
                self._ports.remove(port)
                port.leave()

    async def serve(self, table: Table) -> tuple[str, ...]:
        """Serve what the table says; return what cannot be served, in sentences."""
        async with self._change:
            return await self._serve_all(table)

    async def _serve_all(self, table: Table) -> tuple[str, ...]:
        problems: dict[str, None] = {}
        for port in tuple(self._ports):
            port.listener = table.listeners.get(port.number)
            if port.listener is None:
                port.leave()
                self._ports.remove(port)
            elif not port.serves(port.listener.spec):
                problems.update(dict.fromkeys(await self._try(port, port.listener)))
        return tuple(problems)

    async def reread(self) -> tuple[str, ...]:
        """Serve certificates out of files that have changed; return what cannot be served, in sentences."""
        problems: dict[str, None] = {}
        async with self._change:
            for port in self.outdated():
                if port.listener is not None:
                    problems.update(dict.fromkeys(await self._try(port, port.listener)))
        return tuple(problems)

    def outdated(self) -> tuple[_Port, ...]:
        """Return the ports whose files have changed."""
        return tuple(
            port for port in self._ports if port.listener is not None and port.stamp != self._stamp(port.listener)
        )

    def _stamp(self, listener: CompiledListener) -> Stamp:
        return () if listener.spec.tls is None else self._tls.stamp(listener.spec.tls)

    async def _try(self, port: _Port, listener: CompiledListener) -> tuple[str, ...]:
        # Before the files are read: one that changes meanwhile is read again.
        port.stamp = self._stamp(listener)
        try:
            await self._serve(port, listener)
        except TlsConfigError as error:
            # A certificate that served goes on serving; without one, callers are turned away, not left waiting.
            port.server = port.server or await self._serve_clear(port, protocol=HangUp)
            return (f"Listener {listener.name}: {error}",)
        return ()

    async def _serve(self, port: _Port, listener: CompiledListener) -> None:
        # The context first: where its certificate cannot be used, the old server goes on.
        tls, number = listener.spec.tls, listener.port
        context = self._tls.listener(tls) if tls is not None else None
        port.close()
        if context is None and not listener.front.proxy_protocol:
            port.server = await self._serve_clear(port, protocol=lambda: self._protocol(number, ""))
        else:
            opening = Opening(
                front=listener.front,
                context=context,
                protocol=lambda introduced: self._protocol(number, introduced),
                handshakes=self._handshakes,
                timeout=self._handshake_timeout,
                arrivals=self._arrivals,
                refused=self._refused,
            )
            port.server = Acceptor(port.duplicate(), opening)
        port.tls, port.front = tls, listener.spec.front

    async def _serve_clear(self, port: _Port, *, protocol: Callable[[], asyncio.BaseProtocol]) -> _Server:
        return await ClearServer.open(port.duplicate(), protocol=protocol, arrivals=self._arrivals)

    def client_names(self, number: int) -> tuple[str, ...]:
        """The names of which a caller's certificate must carry one."""
        held = next((port.tls for port in self._ports if port.number == number), None)
        return () if held is None else held.subject_alt_names

    @property
    def opening(self) -> int:
        """Connections that were accepted and are not served yet."""
        return self._handshakes.total

    def addresses(self) -> tuple[tuple[str, int], ...]:
        """The addresses that are listened at."""
        names = [port.sock.getsockname()[:2] for port in self._ports]
        return tuple((str(host), int(number)) for host, number in names)

    def finish(self) -> None:
        """Stop listening; what has connected by now is served."""
        for port in self._ports:
            port.finish()

    async def arrived(self) -> None:
        """Wait until whatever was accepted has its protocol, or is gone."""
        await self._arrivals.over()
