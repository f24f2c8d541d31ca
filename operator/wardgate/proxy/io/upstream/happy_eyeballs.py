"""The first of several addresses that takes a connection (RFC 8305, "Happy Eyeballs").

Rule 1: families take turns, beginning with the resolver's first address (section 4).
Rule 2: the next address is tried once the last one has failed, or has said nothing for a moment (section 5).
Rule 3: the first connection wins; attempts that are under way are given up, and connections that come too late closed.

The race is for TCP alone: a TLS handshake with a provider far away takes longer than the moment of rule 2, and would be
begun twice for nothing. Addresses are judged before they come here (``resolver``).
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final, TypeAlias

from wardgate.proxy.io.upstream.resolver import Address
from wardgate.tasks import spawn

MOMENT: Final = 0.25
"""Seconds: the delay that section 8 recommends."""

Attempt: TypeAlias = "tuple[Address, socket.socket | OSError]"


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses in the order in which they are tried (rule 1)."""
    leading = [address for address in addresses if _family(address) == _family(addresses[0])]
    others = [address for address in addresses if _family(address) != _family(addresses[0])]
    return [address for pair in zip_longest(leading, others) for address in pair if address is not None]


async def first_connected(addresses: Sequence[Address], *, moment: float = MOMENT) -> Attempt:
    """Return the first connected socket, or the last failure; ``addresses``: at least one."""
    left = deque(interleaved(addresses))
    under_way: set[asyncio.Task[Attempt]] = set()
    last: Attempt | None = None
    try:
        while left or under_way:
            if left:
                address = left.popleft()
                under_way.add(spawn(_connect(address), name=f"connect {address.ip}:{address.port}"))
            ended, under_way = await asyncio.wait(
                under_way, timeout=moment if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            won: Attempt | None = None
            for task in ended:
                address, connected = task.result()
                if isinstance(connected, OSError):
                    last = address, connected
                elif won is None:
                    won = address, connected
                else:
                    connected.close()
            if won is not None:
                return won
    finally:
        for task in under_way:
            task.cancel()
    assert last is not None, "There is at least one address."
    return last


async def _connect(address: Address) -> Attempt:
    connecting = socket.socket(_family(address), socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connecting, (address.ip, address.port))
    except OSError as error:
        connecting.close()
        return address, error
    except BaseException:
        connecting.close()
        raise
    return address, connecting


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address.ip else socket.AF_INET
