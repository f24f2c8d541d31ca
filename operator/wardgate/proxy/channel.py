"""The pipe between the supervisor and a worker: frames, and the listening sockets that travel with them.

Both ends are one class over a Unix socket pair. Writing never blocks: what the other side has not taken yet waits here.
A descriptor is sent together with the first byte of its frame, and frames arrive in order, so the receiver hands
descriptors out to frames that announce one (``with_socket``) in the order they came.
"""

from __future__ import annotations

import array
import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping

from wardgate.wire.framing import Frame, Unpacker, pack

_READ = 256 * 1024
_MAX_DESCRIPTORS = 16


class Channel:
    """``on_frame(frame, descriptor)`` for each frame; ``on_close`` once, when the other side is gone."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        on_frame: Callable[[Frame, int | None], None],
        on_close: Callable[[], None],
    ) -> None:
        self._sock = sock
        self._on_frame = on_frame
        self._on_close = on_close
        self._unpacker = Unpacker()
        self._descriptors: deque[int] = deque()
        self._outgoing: deque[tuple[memoryview, int | None]] = deque()
        self._writing = False
        self._closed = False
        sock.setblocking(False)

    def start(self) -> None:
        """Begin to read in the running loop."""
        asyncio.get_running_loop().add_reader(self._sock, self._readable)

    def send(
        self,
        kind: str,
        header: Mapping[str, object] | None = None,
        *,
        payload: bytes = b"",
        descriptor: int | None = None,
    ) -> None:
        """Queue a frame. ``descriptor`` may be closed at once: a duplicate goes out."""
        if self._closed:
            return
        full = {**(header or {}), **({"with_socket": True} if descriptor is not None else {})}
        duplicate = None if descriptor is None else os.dup(descriptor)
        self._outgoing.append((memoryview(pack(kind, full, payload=payload)), duplicate))
        self._write()

    @property
    def flushed(self) -> bool:
        """Whether everything has been taken by the kernel."""
        return not self._outgoing

    def close(self) -> None:
        """Stop, and close the socket. ``on_close`` is not called."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._sock)
        loop.remove_writer(self._sock)
        self._sock.close()
        unsent = [descriptor for _, descriptor in self._outgoing if descriptor is not None]
        self._outgoing.clear()
        for descriptor in (*unsent, *self._descriptors):
            os.close(descriptor)

    def _write(self) -> None:
        try:
            while self._outgoing:
                view, descriptor = self._outgoing[0]
                sent = self._send_some(view, descriptor)
                if sent == len(view):
                    self._outgoing.popleft()
                else:
                    # The descriptor has gone out with the first byte.
                    self._outgoing[0] = (view[sent:], None)
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                asyncio.get_running_loop().add_writer(self._sock, self._write)
            return
        except OSError:
            self._lost()
            return
        if self._writing:
            self._writing = False
            asyncio.get_running_loop().remove_writer(self._sock)

    def _send_some(self, view: memoryview, descriptor: int | None) -> int:
        if descriptor is None:
            return self._sock.send(view)
        rights = array.array("i", [descriptor])
        sent = self._sock.sendmsg([view], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(descriptor)
        return sent

    def _readable(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._sock, _READ, _MAX_DESCRIPTORS)
        except BlockingIOError:
            return
        except OSError:
            self._lost()
            return
        self._descriptors.extend(descriptors)
        if not data:  # the other side has closed
            self._lost()
            return
        for frame in self._unpacker.feed(data):
            descriptor = self._descriptors.popleft() if frame.header.get("with_socket") else None
            self._on_frame(frame, descriptor)

    def _lost(self) -> None:
        if not self._closed:
            self.close()
            self._on_close()
