"""How much of what was written the other side's kernel has not taken: the proof that a request was never read.

A server that closes an idle connection and a request that is on its way to it pass each other. The closing carries the
acknowledgement of all that had arrived before it; so of bytes that are not acknowledged when the connection's end is
seen, none can have been read before the server closed (RFC 9110, 9.2.2: "some means to detect that the original request
was never applied"). A reset proves nothing: it may overtake an acknowledgement that was delayed. A write that finds the
pipe broken does: Linux says so only of a connection whose other side had ended it before it reset it.
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
    """Bytes of the kernel's that are still here or on their way; ``UNKNOWN`` where the system does not tell."""
    sock = transport.get_extra_info("socket")
    if sock is None or not sys.platform.startswith("linux"):
        return UNKNOWN
    try:
        # SIOCOUTQ (tcp(7)) has the number of TIOCOUTQ.
        (queued,) = _INT.unpack(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(_INT.size)))
    except OSError:
        return UNKNOWN
    return int(queued)


def never_read(writes: list[int], *, left: int) -> bool:
    """Whether nobody can have acted on a request, with TLS or without: not even its head has arrived.

    ``writes``: the bytes of each of its writes, the head in the first; ``left``: those unacknowledged at the end.

    Encryption makes more bytes of them, so as many as it adds may have been taken unnoticed. They count as taken, and
    so do those of two more records, which TLS itself may have sent meanwhile. Of TLS, half a record cannot be read.
    """
    records = sum(-(-size // _TLS_RECORD) for size in writes) + 2
    taken = sum(writes) - left + records * _TLS_OVERHEAD
    return left >= 0 and taken < min(writes[0], _TLS_RECORD)
