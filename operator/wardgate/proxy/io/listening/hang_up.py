"""What a listener does that cannot serve: it turns callers away rather than leave them waiting."""

from __future__ import annotations

import asyncio
from typing import cast


class HangUp(asyncio.Protocol):
    """Turns callers away from a listener that cannot serve."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close at once."""
        cast("asyncio.Transport", transport).abort()
