"""Which requests have a line in the access log: of those that went well a part, of all others every one.

The request's id decides, so all workers and proxies of an installation decide alike, and a request that passed two of
them is in the logs of both or of neither. The installation's name goes in with it: a caller, who may choose the id,
cannot tell which ones are left out.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

_IDS: Final = 1 << 32


class Sampling:
    """``fraction``: from 0, for none of the requests that went well, to 1, for all of them."""

    __slots__ = ("_salt", "_taken", "fraction")

    def __init__(self, fraction: float, *, installation: str) -> None:
        self.fraction = fraction
        self._salt = crc32(installation.encode())
        self._taken = round(fraction * _IDS)

    def takes(self, request_id: bytes) -> bool:
        """Whether a request that went well has a line."""
        return self._taken == _IDS or crc32(request_id, self._salt) < self._taken
