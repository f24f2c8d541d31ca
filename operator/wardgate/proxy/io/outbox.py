"""What has been written to a caller and not yet been taken: whether it moves, and whose budget it weighs on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wardgate.proxy.io.gateway import Gateway


class Outbox:
    """One connection's unsent bytes. ``transport`` is None until there is a connection."""

    __slots__ = ("_before", "_gateway", "_owed", "transport")

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._before = 0
        self._owed = 0
        self.transport: asyncio.Transport | None = None

    def takes_bytes(self) -> bool:
        """Whether the caller has taken something of what waits for it since this was last asked."""
        before, self._before = self._before, self._waiting()
        return self._before > 0 and (before == 0 or self._before < before)

    def owe(self, reserved: int) -> None:
        """Give bytes back to the worker's budget once what was written of them has left this process."""
        self._owed += reserved
        self.settle()

    def settle(self) -> None:
        """Give back what is owed, if everything has been sent."""
        if self._owed and not self._waiting():
            self.close()

    def close(self) -> None:
        """The connection is gone, and what was waiting with it."""
        self._gateway.unreserve(self._owed)
        self._owed = 0

    def _waiting(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()
