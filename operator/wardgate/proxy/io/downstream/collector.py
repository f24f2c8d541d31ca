"""A body that a plan reads, collected whole: within its own limit, the caller's share and the worker's budget."""

from __future__ import annotations

from collections.abc import Hashable

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget


class Collector:
    """``add`` pieces, then ``take`` the whole. Its bytes stay charged until ``release``, after they have been sent."""

    __slots__ = ("_budget", "_data", "_holder", "held", "most")

    def __init__(self, budget: Budget, *, most: int) -> None:
        self._budget = budget
        self.most = most
        """Bytes of the longest body that is kept."""
        self._data = bytearray()
        self._holder: Hashable = None
        self.held = 0
        """Bytes charged."""

    def charge_to(self, holder: Hashable) -> ReplyReason | None:
        """Charge what is held, and what follows, to ``holder``, or say why not."""
        if self.held and holder != self._holder:
            refusal = self._budget.pass_on(self.held, giver=self._holder, taker=holder)
            if refusal is not None:
                return refusal
        self._holder = holder
        return None

    def add(self, data: bytes) -> ReplyReason | None:
        """Keep a piece, or say why not."""
        if len(self._data) + len(data) > self.most:
            return ReplyReason.BODY_TOO_LARGE
        refusal = self._budget.take(self._holder, len(data))
        if refusal is None:
            self.held += len(data)
            self._data += data
        return refusal

    def take(self) -> bytes:
        """The body, and start anew; the bytes stay charged."""
        body = bytes(self._data)
        self._data = bytearray()
        return body

    def drop(self) -> None:
        """Keep no more of the body; what was taken of it may still be on its way, so it stays charged."""
        self._data = bytearray()

    def release(self) -> None:
        """End the charge: what was collected has left this process."""
        if self.held:
            self._budget.give_back(self._holder, self.held)
            self.held = 0
