"""A body that a plan reads, collected whole: within its own limit and within the worker's budget for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wardgate.proxy.io.gateway import Gateway


class TooLarge(Exception):
    """The body is larger than ``limits.body_bytes``."""


class NoRoom(Exception):
    """All bodies together are larger than ``limits.buffered_bytes``."""


class Collector:
    """``add`` pieces, then ``take`` the whole. What was reserved is to be given back by whom it is handed over to."""

    __slots__ = ("_gateway", "_pieces", "_reserved", "_size")

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pieces: list[bytes] = []
        self._size = 0
        self._reserved = 0

    def add(self, data: bytes) -> None:
        """Keep a piece. Raises ``TooLarge`` or ``NoRoom``."""
        self._size += len(data)
        if self._size > self._gateway.limits.body_bytes:
            raise TooLarge
        if not self._gateway.reserve(len(data)):
            raise NoRoom
        self._reserved += len(data)
        self._pieces.append(data)

    def take(self) -> bytes:
        """The body, and start anew; the bytes stay reserved until they have been sent."""
        body = b"".join(self._pieces)
        self._pieces = []
        self._size = 0
        return body

    def hand_over(self) -> int:
        """The bytes that were reserved: whoever takes the number gives them back once they have been sent."""
        reserved, self._reserved = self._reserved, 0
        self._pieces = []
        return reserved
