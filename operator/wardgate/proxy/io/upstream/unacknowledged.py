"""How much of what was written the other side's kernel has not taken: the proof that a request was never read.

A server that closes an idle connection and a request that is on its way to it pass each other. The closing carries the
acknowledgement of all that had arrived before it; so of bytes that are not acknowledged when the connection's end is
seen, none can have been read before the server closed (RFC 9110, 9.2.2: "some means to detect that the original request
was never applied"). A reset proves nothing: it may overtake an acknowledgement that was delayed.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import sys
import termios
from typing import Final

UNKNOWN: Final = -1
_TLS_RECORD: Final = 16 * 1024
_TLS_OVERHEAD: Final = 29
"""Bytes that encryption adds to a record, at most: header, nonce and tag of TLS 1.2."""
_INT: Final = struct.Struct("i")


def unacknowledged(transport: asyncio.Transport) -> int:
    """Bytes that are still here or on their way, at the moment; ``UNKNOWN`` where the system does not tell."""
    sock = transport.get_extra_info("socket")
    if sock is None or not sys.platform.startswith("linux"):
        return UNKNOWN
    try:
        # SIOCOUTQ (tcp(7)) has the number of TIOCOUTQ.
        (queued,) = _INT.unpack(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_INT.size)))
    except OSError:
        return UNKNOWN
    return int(queued) + transport.get_write_buffer_size()


def never_read(writes: list[int], *, left: int) -> bool:
    """Whether nothing of a request can have been read, with TLS or without.

    ``writes``: the bytes of each of its writes, the head in the first; ``left``: those unacknowledged at the end.

    Encryption makes more bytes of them, so as many as it adds may have been taken unnoticed. They must be fewer than
    the first record has: half a record cannot be read. Two more are for what TLS itself may have sent meanwhile.
    """
    records = sum(-(-size // _TLS_RECORD) for size in writes)
    unnoticed = (records + 2) * _TLS_OVERHEAD
    return left >= sum(writes) and unnoticed < min(writes[0], _TLS_RECORD)
