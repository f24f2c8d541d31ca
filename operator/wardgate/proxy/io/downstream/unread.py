"""Whether bytes of a caller have arrived that this process has not read yet.

A connection that is closed over such bytes is reset, and a request among them is lost although it came in time. So who
closes an idle connection asks first.
"""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios


def has_unread(transport: asyncio.Transport | None) -> bool:
    """Ask the kernel's receive queue; where it does not tell, nothing is there."""
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return False
    try:
        return bool(struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0" * 4))[0])
    except OSError:
        return False
