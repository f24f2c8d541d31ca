"""An amount that a worker's callers share, of which no caller holds more than its part.

Whom an amount is charged to is for the exchange to say (``Exchange.holder``): the key that authenticated the request,
and before there is one the caller's address. So one caller can fill its own part and nobody else's. Only what is held
at the moment is remembered.
"""

from __future__ import annotations

from collections.abc import Hashable

from wardgate.proxy.core.reasons import ReplyReason


class Budget:
    """``total`` of ``limit`` are held, by each holder at most ``share``."""

    __slots__ = ("_held", "limit", "share", "total")

    def __init__(self, limit: int, *, percent: int, at_least: int = 1) -> None:
        """``percent``: of the limit that one holder may have; ``at_least``, where that is more, what it needs."""
        self.limit = limit
        self.share = min(max(limit * percent // 100, at_least), limit)
        self.total = 0
        self._held: dict[Hashable, int] = {}

    def take(self, holder: Hashable, amount: int = 1) -> ReplyReason | None:
        """Charge an amount to a holder, or say why not."""
        held = self._held.get(holder, 0) + amount
        if self.total + amount > self.limit:
            return ReplyReason.OVERLOAD
        if held > self.share:
            return ReplyReason.CALLER_OVER_SHARE
        self._held[holder] = held
        self.total += amount
        return None

    def give_back(self, holder: Hashable, amount: int = 1) -> None:
        """End a charge, or a part of it."""
        held = self._held[holder]
        if held > amount:
            self._held[holder] = held - amount
        else:
            del self._held[holder]
        self.total -= amount

    def pass_on(self, amount: int, *, giver: Hashable, taker: Hashable) -> ReplyReason | None:
        """Charge to ``taker`` what was charged to ``giver``; where that is too much, it stays as it was."""
        self.give_back(giver, amount)
        refusal = self.take(taker, amount)
        if refusal is not None:
            self._held[giver] = self._held.get(giver, 0) + amount
            self.total += amount
        return refusal
