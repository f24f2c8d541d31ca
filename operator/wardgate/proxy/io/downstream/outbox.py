"""Bytes that were written to a caller and not yet taken: whether they move, and whose budget they weigh on.

A caller that takes its response too slowly occupies an upstream's connection, or memory. It has taken whatever was
written and waits neither here nor in the kernel's send queue, which holds megabytes and would hide a slow caller as
well as a steady one. So the rate is the caller's own; how much the upstream had to say makes no difference, because it
is judged only while something waits.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios

from wardgate.proxy.io.downstream.collector import Collector

_NEVER = float("inf")


class Outbox:
    """One connection's unsent bytes. ``rate`` is in bytes a second over ``window`` seconds.

    ``transport`` is None until there is a connection. ``due``: the moment at which ``keeps_pace`` is to be asked.
    """

    __slots__ = ("_marked_at", "_owed", "_rate", "_taken", "_window", "due", "transport", "written")

    def __init__(self, *, rate: int, window: float, now: float) -> None:
        self._rate = rate
        self._window = window
        self._owed: list[Collector] = []
        self._taken = 0
        self._marked_at = now
        self.written = 0
        """Bytes given to the transport so far."""
        self.due = _NEVER
        self.transport: asyncio.Transport | None = None

    def write(self, data: bytes) -> None:
        """Send bytes to the caller, unless the caller is gone."""
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self.written += len(data)
            transport.write(data)

    def watch(self, now: float) -> None:
        """The caller has stopped reading: from now on it must keep up the rate."""
        self._mark(now)
        self.due = now + self._window

    def rest(self) -> None:
        """The caller has caught up."""
        self.due = _NEVER

    def keeps_pace(self, now: float) -> bool:
        """Whether something waits, and the caller has taken the least rate of it since this was last asked."""
        taken, since = self._taken, self._marked_at
        self._mark(now)
        if self.due < _NEVER:
            self.due = now + self._window
        moved = self._taken - taken
        return self._waiting() > 0 and moved > 0 and moved >= self._rate * (now - since)

    def owe(self, collected: Collector) -> None:
        """End what a body is charged with once what was written of it has left this process."""
        collected.drop()
        if collected.held:
            self._owed.append(collected)
            self.settle()

    def settle(self) -> None:
        """End the charges that are owed, if everything has been sent."""
        # Written bytes leave in order, so an empty buffer has sent everything that any charge stands for.
        if self._owed and not self._waiting():
            self.close()

    def close(self) -> None:
        """The connection is gone, and what was waiting with it."""
        for collected in self._owed:
            collected.release()
        self._owed.clear()

    def _mark(self, now: float) -> None:
        # Bytes in the kernel's queue have been written and not taken: a caller that reads nothing fills it.
        self._taken = self.written - self._waiting() - self._queued()
        self._marked_at = now

    def _waiting(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def _queued(self) -> int:
        """Bytes in the kernel that the caller's side has not acknowledged; 0 where the kernel does not tell."""
        sock = None if self.transport is None else self.transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return 0
        try:
            return int(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0])
        except OSError:
            return 0
