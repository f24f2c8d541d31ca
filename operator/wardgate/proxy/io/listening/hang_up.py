"""The protocol of a listener that cannot serve: callers are turned away rather than left waiting."""

from __future__ import annotations

import asyncio
from typing import cast


class HangUp(asyncio.Protocol):
    """Turns callers away from a listener that cannot serve."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close at once."""
        cast("asyncio.Transport", transport).abort()
