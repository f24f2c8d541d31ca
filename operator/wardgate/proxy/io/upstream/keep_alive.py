"""TCP options of connections to upstreams, and of callers' that may be dead.

NAT gateways and load balancers forget a connection that was silent for some minutes (350 s is common), and tell neither
side. Probes in between keep them from it, and find a peer that has vanished behind a request.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Final

_BETWEEN: Final = 15
"""Seconds between two probes that nobody answers; after four of them the connection is dead."""
_PROBES: Final = 4


def keep_alive(transport: asyncio.Transport, *, after: float) -> None:
    """Have a connection probed after so many seconds of silence; 0: never. Small writes leave at once."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not after:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS has the first of the three under another name, and its own default of two hours.
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, round(after)))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _BETWEEN)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
