"""What has been written to a caller and not yet been taken: whether it moves, and whose budget it weighs on."""

from __future__ import annotations

import asyncio

from wardgate.proxy.io.collector import Collector


class Outbox:
    """One connection's unsent bytes. ``transport`` is None until there is a connection."""

    __slots__ = ("_before", "_owed", "transport")

    def __init__(self) -> None:
        self._before = 0
        self._owed: list[Collector] = []
        self.transport: asyncio.Transport | None = None

    def takes_bytes(self) -> bool:
        """Whether the caller has taken something of what waits for it since this was last asked."""
        before, self._before = self._before, self._waiting()
        return self._before > 0 and (before == 0 or self._before < before)

    def owe(self, collected: Collector) -> None:
        """End what a body is charged with once what was written of it has left this process."""
        collected.drop()
        if collected.held:
            self._owed.append(collected)
            self.settle()

    def settle(self) -> None:
        """End the charges that are owed, if everything has been sent."""
        if self._owed and not self._waiting():
            self.close()

    def close(self) -> None:
        """The connection is gone, and what was waiting with it."""
        for collected in self._owed:
            collected.release()
        self._owed.clear()

    def _waiting(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()
