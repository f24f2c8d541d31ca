"""How a caller's connection is closed so that the caller still reads what was written to it (RFC 9112, 9.6)."""

from __future__ import annotations

import asyncio
from typing import Final

from wardgate.proxy.core.http1.server_connection import ServerConnection

LINGER: Final = 2.0
"""Seconds in which a caller can still read a refusal while the rest of its request is thrown away."""


def close_gently(transport: asyncio.Transport | None, requests: ServerConnection, *, may_send: bool) -> bool:
    """Close; return whether only our side is closed, and what the caller still sends is to be thrown away for a moment.

    A connection closed over bytes that were never read is reset, and the reset overtakes the response. ``may_send``:
    the caller has not ended its side.
    """
    if transport is None or transport.is_closing():
        requests.end(can_linger=False)
        return False
    if requests.end(can_linger=may_send and transport.can_write_eof()):
        transport.write_eof()
        return True
    transport.close()
    return False


def is_last_response(requests: ServerConnection, *, draining: bool, sent_on: bool) -> bool:
    """Whether the connection ends with the response that begins now; ``sent_on``: its request went upstream."""
    # Requests that came before the caller could know of an ending are answered, and the last of them tells.
    return (draining and not requests.buffer) or requests.must_close(sent_on=sent_on)
