"""Asks the machine's name servers, through c-ares: a lookup is a datagram and a timer, and occupies no thread.

``getaddrinfo`` blocks a thread until the servers give up, and a handful of names whose servers are silent occupy every
thread there is (docs/decisions/0019). c-ares reads what it reads: ``/etc/hosts``, ``/etc/resolv.conf`` with its search
domains and ``ndots``, and ``/etc/nsswitch.conf`` for the order of these two. Other modules of nsswitch are not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from functools import partial
from typing import Final

import pycares

_ABSENT: Final = frozenset(
    {pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_ENODATA, pycares.errno.ARES_EBADNAME, pycares.errno.ARES_ENONAME}
)
"""Answers that say that a name has no address. Everything else says that nobody knows."""

_TRIES: Final = 5
"""c-ares waits for an answer for five times a server's usual latency, 0.25 s at least, and twice as long at every try.
With its default of three a name whose zone takes two seconds would never resolve behind a server that is usually quick;
with five it has 7 s."""
_LONGEST: Final = 10.0
"""Seconds; behind servers that are usually slow five tries take minutes, and an outage would be noticed to end late."""


class NameServers:
    """``servers`` are ``ADDR:PORT``, in the place of those that the machine is configured with."""

    def __init__(self, *, servers: Sequence[str] = ()) -> None:
        self._servers = servers
        self._channel: pycares.Channel | None = None

    async def lookup(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses in the order of RFC 6724, each once; none where the name has none.

        Raises ``OSError`` if no server gave an answer, and ``UnicodeError`` for what cannot be a host's name.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

        def answered(result: pycares.AddrInfoResult | None, error: int | None) -> None:
            # On the thread of c-ares. A loop that has ended since has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(partial(_settle, answer, result, error=error))

        self._open().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, callback=answered)
        async with asyncio.timeout(_LONGEST):
            return await answer

    def _open(self) -> pycares.Channel:
        if self._channel is None:
            self._channel = pycares.Channel(servers=self._servers or None, tries=_TRIES)
        return self._channel


def _settle(
    answer: asyncio.Future[tuple[str, ...]], result: pycares.AddrInfoResult | None, *, error: int | None
) -> None:
    if answer.done():  # the lookup took too long, and its waiter has gone
        return
    if result is not None:
        answer.set_result(tuple(dict.fromkeys(node.addr[0].decode() for node in result.nodes)))
    elif error in _ABSENT:
        answer.set_result(())
    else:
        answer.set_exception(OSError(pycares.errno.strerror(error or 0)))
