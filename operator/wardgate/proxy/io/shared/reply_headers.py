"""The headers that every answer of the gateway's own carries."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate

from wardgate.proxy.core.messages import Header


class ReplyHeaders:
    """``now`` is the wall's clock, in seconds."""

    __slots__ = ("_fields", "_now", "_second")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._second = 0
        self._fields: tuple[Header, ...] = ()

    def fields(self) -> tuple[Header, ...]:
        """The headers of this moment; the date is made once a second."""
        second = int(self._now())
        if self._second != second:
            date = formatdate(second, usegmt=True).encode()
            self._second = second
            self._fields = ((b"date", date), (b"server", b"wardgate"))
        return self._fields
