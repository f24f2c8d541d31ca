"""Ports for the servers that tests start: nobody else gets one before its server listens, or after the server's end.

They lie below the range from which systems pick the ports of outgoing connections. Otherwise a client that keeps
dialling a stopped server on this very machine may be given the server's port as its own, connect to itself, and keep
the server from ever coming back.

A port that was merely free a moment ago may be given to two servers, of tests that run beside each other or of one
test. So each port is held by a socket of ours that is bound and does not listen: whoever looks for a free port passes
it over, while a server with ``SO_REUSEADDR``, as all of ours have it, may bind it and listen.
"""

from __future__ import annotations

import random
import socket
from collections import deque

FIRST, LAST = 20000, 32000
HELD = 256
"""Ports that are held at once; the oldest ones are let go. A test needs about ten."""

_held: deque[socket.socket] = deque()


def stable_ports(count: int) -> tuple[int, ...]:
    """Give as many different ports on loopback that nobody listens at, and hold them."""
    ports: list[int] = []
    for port in random.sample(range(FIRST, LAST), LAST - FIRST):
        if len(ports) == count:
            break
        if _hold(port):
            ports.append(port)
    if len(ports) < count:
        raise OSError(f"No {count} free ports on 127.0.0.1 between {FIRST} and {LAST}.")
    return tuple(ports)


def free_port() -> int:
    """Give one of them."""
    return stable_ports(1)[0]


def _hold(port: int) -> bool:
    """Bind a port; False if somebody else has it, or had it until just now."""
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    # Only from now on: with the option set before, it would bind beside another holder.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _held.append(holder)
    if len(_held) > HELD:
        _held.popleft().close()
    return True
