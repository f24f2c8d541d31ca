"""Ports for servers that must come back at the same address.

They lie below the range from which systems pick the ports of outgoing connections. Otherwise a client that keeps
dialling a stopped server on this very machine may be given the server's port as its own, connect to itself, and keep
the server from ever coming back.
"""

from __future__ import annotations

import random
import socket

FIRST, LAST = 20000, 32000


def stable_ports(count: int) -> tuple[int, ...]:
    """Give as many different ports on loopback that nobody listens at."""
    free = [port for port in random.sample(range(FIRST, LAST), 50 + count) if _is_free(port)]
    if len(free) < count:
        raise OSError(f"No {count} free ports on 127.0.0.1 between {FIRST} and {LAST}.")
    return tuple(free[:count])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
