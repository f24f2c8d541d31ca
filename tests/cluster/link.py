"""A wire between one client and the API server, which can be cut, frozen and mended while other clients' wires hold.

It forwards bytes and reads none of them: TLS is between the client and the API server. The address stays the same over
a cut.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from tests.cluster.ports import stable_ports

CHUNK = 65536
DO_SECONDS = 10.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER at zero: a close sends RST, as a broken network or a killed peer does."""


class Link:
    """Forwards ``127.0.0.1:port`` to a port of loopback, in a thread of its own, until ``close``."""

    def __init__(self, target: int) -> None:
        self._target = target
        (self.port,) = stable_ports(1)
        self._selector = selectors.DefaultSelector()
        self._listener: socket.socket | None = None
        self._peers: dict[socket.socket, socket.socket] = {}
        self._unsent: dict[socket.socket, bytes] = {}
        self._ended: set[socket.socket] = set()
        self._orders: list[tuple[Callable[[], None], Future[None]]] = []
        self._wake, self._woken = socket.socketpair()
        self._held: set[socket.socket] = set()
        self._is_closed = False
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._listen()
        self._thread = threading.Thread(target=self._run, name=f"link {self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where clients connect; the API server's certificate is valid there."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections it carries now."""
        return len(self._peers) // 2

    def cut(self) -> None:
        """Reset what is open and refuse what comes, until ``restore``."""
        self._do(self._cut)

    def freeze(self) -> None:
        """Keep everything open and deliver nothing, either way, until ``restore``; new connections hang too.

        What was sent meanwhile is delivered then: nothing is lost, as on a network that stalls.
        """
        self._do(self._freeze)

    def freeze_connections(self) -> None:
        """Keep what is open and deliver nothing on it, until ``restore``; what comes is served.

        So watches stand still while new requests of the same client succeed.
        """
        self._do(self._freeze_connections)

    def restore(self) -> None:
        """End a cut or a freeze."""
        self._do(self._restore)

    def kill_connections(self) -> None:
        """Reset what is open; what comes is served."""
        self._do(self._reset_all)

    def close(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._do(self._close)
            self._thread.join(DO_SECONDS)

    # The rest runs in the link's own thread, so that no state is shared.

    def _run(self) -> None:
        while not self._is_closed:
            for key, events in self._selector.select():
                ready = key.fileobj
                if ready is self._woken:
                    self._take_orders()
                    break  # what was ready may be gone now
                if ready is self._listener:
                    self._accept()
                elif isinstance(ready, socket.socket) and ready in self._peers:
                    self._forward(ready, events)
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def _do(self, order: Callable[[], None]) -> None:
        done: Future[None] = Future()
        self._orders.append((order, done))
        self._wake.send(b"!")
        done.result(DO_SECONDS)

    def _take_orders(self) -> None:
        self._woken.recv(CHUNK)
        while self._orders:
            order, done = self._orders.pop(0)
            try:
                order()
                done.set_result(None)
            except Exception as error:  # noqa: BLE001 - whoever gave the order is told
                done.set_exception(error)

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        listener.setblocking(False)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def _cut(self) -> None:
        self._restore()
        self._reset_all()
        self._stop_listening()

    def _freeze(self) -> None:
        self._restore()
        self._freeze_connections()
        self._unwatch(self._heard())

    def _freeze_connections(self) -> None:
        self._held |= self._peers.keys()
        for each in self._peers:
            self._unwatch(each)

    def _restore(self) -> None:
        if self._listener is None:
            self._listen()
        if self._heard() not in self._selector.get_map():
            self._selector.register(self._heard(), selectors.EVENT_READ)
        self._held.clear()
        for each in self._peers:
            self._watch(each)

    def _heard(self) -> socket.socket:
        assert self._listener is not None
        return self._listener

    def _close(self) -> None:
        self._reset_all()
        self._stop_listening()
        self._is_closed = True

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._unwatch(self._listener)
            self._listener.close()
            self._listener = None

    def _reset_all(self) -> None:
        while self._peers:
            self._reset(next(iter(self._peers)))

    def _reset(self, one: socket.socket) -> None:
        for each in (one, self._peers[one]):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._forget(one)

    def _forget(self, one: socket.socket) -> None:
        for each in (one, self._peers[one]):
            self._unwatch(each)
            del self._peers[each], self._unsent[each]
            self._ended.discard(each)
            self._held.discard(each)
            each.close()

    def _accept(self) -> None:
        client, _ = self._heard().accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=DO_SECONDS)
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
            return
        self._peers |= {client: server, server: client}
        self._unsent |= {client: b"", server: b""}
        for each in (client, server):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(each)

    def _forward(self, one: socket.socket, events: int) -> None:
        peer = self._peers[one]
        try:
            if events & selectors.EVENT_WRITE:
                self._send(one)
            if events & selectors.EVENT_READ:
                self._unsent[peer] = one.recv(CHUNK)
                if self._unsent[peer]:
                    self._send(peer)
                else:
                    self._ended.add(one)
                    peer.shutdown(socket.SHUT_WR)
        except OSError:
            self._reset(one)
            return
        if {one, peer} <= self._ended:
            self._forget(one)
            return
        self._watch(one)
        self._watch(peer)

    def _send(self, one: socket.socket) -> None:
        try:
            sent = one.send(self._unsent[one])
        except BlockingIOError:
            sent = 0
        self._unsent[one] = self._unsent[one][sent:]

    def _watch(self, one: socket.socket) -> None:
        """Wait for what this socket may do next: it is read only while its peer has taken everything."""
        can_read = one not in self._ended and not self._unsent[self._peers[one]]
        events = (selectors.EVENT_READ if can_read else 0) | (selectors.EVENT_WRITE if self._unsent[one] else 0)
        self._unwatch(one)
        if events:
            self._selector.register(one, events)

    def _unwatch(self, one: socket.socket) -> None:
        if one in self._selector.get_map():
            self._selector.unregister(one)
