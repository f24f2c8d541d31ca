"""A transport whose kernel is the test: what the product writes is kept, what the test feeds it gets."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from tests.proxy.both_ways.scripted_loop import ScriptedLoop
from wardgate.proxy.io.downstream.connection import Downstream

HIGH_WATER = 1024
"""Bytes that wait for a blocked peer before the product is asked to pause."""


class Wire(asyncio.Transport):
    """One connection, the product's end of it. ``closed`` hears how it ended, once; ``sent`` hears what leaves."""

    def __init__(
        self,
        protocol: asyncio.Protocol | Downstream,
        *,
        loop: ScriptedLoop,
        peer: tuple[str, int],
        sent: Callable[[bytes], object],
        closed: Callable[[str], object],
    ) -> None:
        super().__init__({"peername": peer})
        self._protocol = protocol
        self._loop = loop
        self._sent = sent
        self._tell_closed = closed
        self._outgoing = bytearray()
        self._incoming: deque[bytes] = deque()
        self._blocked = self._asked_to_pause = False
        self._reading = True
        self._closing = self._eof = self._eof_sent = self._eof_fed = False
        self.half_closed = False
        """Whether the peer has closed its writing side."""
        self.gone = False

    # The test's side.

    @property
    def holds_request(self) -> bool:
        """Whether the product waits for the rest of a plain request."""
        fast = self._protocol._fast if isinstance(self._protocol, Downstream) else None
        return fast is not None and bool(fast.held)

    def feed(self, data: bytes) -> None:
        """Bytes of the peer arrive, now or once the product reads; a peer that has closed its side sends none."""
        if not self.half_closed:
            self._incoming.append(data)
            self._deliver()

    def feed_eof(self) -> None:
        """The peer closes its writing side; that is told once all is quiet, and nobody races with it."""
        self._eof_fed = self.half_closed = True
        self._loop.when_quiet(self._deliver_eof)

    def block(self) -> None:
        """The peer takes no more."""
        self._blocked = True

    def unblock(self) -> None:
        """The peer takes all that waits, and more."""
        self._blocked = False
        self._flush()

    def lose(self) -> None:
        """The connection breaks."""
        self._end(ConnectionResetError("lost"), how="lost")

    def _deliver(self) -> None:
        while self._incoming and self._reading and not self._closing:
            self._protocol.data_received(self._incoming.popleft())

    def _deliver_eof(self) -> None:
        if self._eof_fed and not self._incoming and not self._closing and self._reading:
            self._eof_fed = False
            if not self._protocol.eof_received():
                self.close()

    def _flush(self) -> None:
        if self._outgoing:
            data, self._outgoing = bytes(self._outgoing), bytearray()
            self._sent(data)
        if self._asked_to_pause:
            self._asked_to_pause = False
            if not self.gone:
                self._protocol.resume_writing()
        if self._eof and not self._eof_sent:
            self._eof_sent = True
            self._tell_closed("eof")
        if self._closing and not self._outgoing:
            self._loop.call_soon(self._end, None)

    def _end(self, error: Exception | None, how: str = "closed") -> None:
        if self.gone:
            return
        self.gone = self._closing = True
        self._outgoing.clear()
        self._tell_closed(how)
        self._protocol.connection_lost(error)

    # The product's side.

    def write(self, data: Any) -> None:
        """Send, or keep while the peer is blocked."""
        if self._closing or self._eof or not data:
            return
        if not self._blocked:
            self._sent(bytes(data))
            return
        self._outgoing += data
        if len(self._outgoing) > HIGH_WATER and not self._asked_to_pause:
            self._asked_to_pause = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        """Send all of it."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """A socket without TLS can."""
        return True

    def write_eof(self) -> None:
        """Close the writing side behind what waits."""
        self._eof = True
        if not self._outgoing:
            self._flush()

    def close(self) -> None:
        """End behind what waits."""
        if not self._closing:
            self._closing = True
            if not self._outgoing:
                self._loop.call_soon(self._end, None)

    def abort(self) -> None:
        """End at once."""
        if not self.gone:
            self._closing = True
            self._outgoing.clear()
            self._loop.call_soon(self._end, None, "aborted")

    def is_closing(self) -> bool:
        """Whether the end has begun."""
        return self._closing

    def pause_reading(self) -> None:
        """Leave what comes in the kernel."""
        self._reading = False

    def resume_reading(self) -> None:
        """Take what came."""
        if not self._reading:
            self._reading = True
            if self._incoming:
                self._loop.call_soon(self._deliver)
            if self._eof_fed:
                self._loop.when_quiet(self._deliver_eof)

    def is_reading(self) -> bool:
        """Whether bytes are taken."""
        return self._reading and not self._closing

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the peer."""
        return len(self._outgoing)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The bound is the test's own."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return who is told."""
        return cast("asyncio.Protocol", self._protocol)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell somebody else from now on."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol
