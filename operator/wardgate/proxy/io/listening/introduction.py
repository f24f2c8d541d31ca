"""Reads the PROXY header of a connection off its socket, and not one byte more: TLS or HTTP follow it.

The rest is the transport's to read, so the socket is looked into first (``MSG_PEEK``), and only what belongs to the
header is taken.
"""

from __future__ import annotations

import asyncio
import socket

from wardgate.proxy.core.origin.proxy_header import LONGEST, Introduction, Unread, read_introduction


async def introduction_on(connection: socket.socket) -> Introduction | Unread:
    """Wait for the header, and take it; ``UNFINISHED``: the other side left. Raises ``OSError``.

    The wait is for the caller to bound.
    """
    taken = b""
    while True:
        await _readable(connection)
        try:
            seen = connection.recv(LONGEST, socket.MSG_PEEK)
        except BlockingIOError:
            continue
        found = read_introduction(taken + seen)
        if not seen or found is Unread.REFUSED:
            return found
        # All of it belongs to a header that is not finished; left there, it would wake this up again at once.
        size = len(seen) if isinstance(found, Unread) else found.size - len(taken)
        taken += connection.recv(size)
        if isinstance(found, Introduction):
            return found


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(connection, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
