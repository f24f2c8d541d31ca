"""A way to the API server that reads the requests: one of them may be held back, or its answer.

So a client can be killed, or shut out by another one, exactly between two of its steps. Unlike a ``Link`` it ends TLS,
with the API server's own certificate. Requests are passed on as they are, answers as bytes.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from tests.cluster.control_plane import ControlPlane

CHUNK = 65536
WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """What the client sent, whole."""

    method: str
    path: str
    body: bytes


@dataclass(eq=False, slots=True)
class Hold:
    """One request that is stopped: before it reaches the API server, or (``answered``) before its answer comes back."""

    wanted: Callable[[Request], bool]
    answered: bool
    taken: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    passed: bool = False

    def wait(self) -> None:
        """Wait until the client is there."""
        assert self.reached.wait(WAIT_SECONDS), "The request that was to be held never came."

    def release(self) -> None:
        """Let it go on, late."""
        self.passed = True
        self.over.set()

    def drop(self) -> None:
        """It goes nowhere; the connection ends."""
        self.over.set()

    def hold(self) -> bool:
        """Stop here; return whether to go on."""
        self.reached.set()
        self.over.wait(WAIT_SECONDS)
        return self.passed


class Gate:
    """Listens on loopback until ``close``."""

    def __init__(self, control_plane: ControlPlane) -> None:
        files = control_plane.credentials
        self._target = control_plane.port
        self._inside = ssl.create_default_context(cafile=str(files.ca_file))
        self._outside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._outside.load_cert_chain(files.server_chain, files.server_key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._holds: list[Hold] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def hold(self, wanted: Callable[[Request], bool], *, answered: bool = False) -> Hold:
        """Stop the next such request."""
        made = Hold(wanted, answered)
        with self._lock:
            self._holds.append(made)
        return made

    def close(self) -> None:
        """End everything that is open."""
        for hold in self._holds:
            hold.drop()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            left, self._open = self._open, set()
        for each in left:
            _end(each)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            self._start(partial(self._carry, raw))

    def _carry(self, raw: socket.socket) -> None:
        """Serve one connection."""
        try:
            client = self._outside.wrap_socket(raw, server_side=True)
            server = self._inside.wrap_socket(
                socket.create_connection(("127.0.0.1", self._target)), server_hostname="127.0.0.1"
            )
        except OSError:
            raw.close()
            return
        with self._lock:
            self._open |= {client, server}
        with suppress(OSError, ValueError):
            self._pass_on(client, server)
        _end(server)
        _end(client)

    def _pass_on(self, client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
        """Carry both directions in one thread: OpenSSL's objects must not be read and written at the same time."""
        asked, owes = b"", False
        withheld: list[Hold] = []
        client.setblocking(False)
        server.setblocking(False)
        while True:
            select.select([client, server], [], [])
            if (content := _arrived(client)) == b"":
                # A client that has given up must not take its request back: the API server answers what it got.
                select.select([server] if owes else [], [], [], WAIT_SECONDS if owes else 0.0)
                return
            asked += content or b""
            while (read := _read(asked)) is not None:
                request, raw_request = read
                asked = asked[len(raw_request) :]
                hold = self._hold_of(request)
                if hold is not None and not hold.answered and not hold.hold():
                    return
                if hold is not None and hold.answered:
                    withheld.append(hold)
                _send(server, raw_request)
                owes = True
            if (content := _arrived(server)) == b"":
                return
            if content:
                owes = False
                if withheld and not withheld.pop().hold():
                    return
                _send(client, content)

    def _hold_of(self, request: Request) -> Hold | None:
        with self._lock:
            for hold in self._holds:
                if not hold.taken and hold.wanted(request):
                    hold.taken = True
                    return hold
        return None

    @staticmethod
    def _start(work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="gate", daemon=True).start()


def _arrived(one: ssl.SSLSocket) -> bytes | None:
    """All that has arrived; empty at the end, None where there is nothing yet."""
    content = b""
    try:
        while piece := one.recv(CHUNK):
            content += piece
    except ssl.SSLWantReadError:
        return content or None
    return content


def _send(one: ssl.SSLSocket, content: bytes) -> None:
    one.setblocking(True)
    one.sendall(content)
    one.setblocking(False)


def _read(asked: bytes) -> tuple[Request, bytes] | None:
    """The first request, and its bytes as they came; None while it is not whole."""
    head, end, rest = asked.partition(b"\r\n\r\n")
    if not end:
        return None
    start, *lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    assert b"transfer-encoding" not in fields
    size = int(fields.get(b"content-length", b"0"))
    if len(rest) < size:
        return None
    method, path, _ = start.decode("ascii").split(" ", 2)
    return Request(method, path, rest[:size]), asked[: len(head) + len(end) + size]


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
