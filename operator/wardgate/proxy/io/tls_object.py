"""The TLS of one connection, read a record at a time.

Event loops ask a connection for up to 256 KiB at each read, and Python takes as much memory before it knows that there
is less: where the heap has no such piece, the kernel maps one, cuts it, and unmaps it, for every response. A read never
returns more than one record, so nobody gets less by asking for no more than one.
"""

from __future__ import annotations

import ssl
from typing import Final

RECORD: Final = 16 * 1024
"""Bytes that one record holds at most (RFC 8446, 5.1), and so one read."""


class RecordReader(ssl.SSLObject):
    """For ``ssl.SSLContext.sslobject_class``."""

    def read(  # type: ignore[override]
        self,
        len: int = RECORD,  # noqa: A002 - the library's name
        buffer: bytearray | None = None,
    ) -> bytes:
        """Return at most a record's bytes; with a ``buffer`` put them there (and return their number, untyped)."""
        # ``super`` and ``min`` would add a fifth to what a short read costs.
        return ssl.SSLObject.read(self, RECORD if len > RECORD else len, buffer)  # noqa: FURB136
