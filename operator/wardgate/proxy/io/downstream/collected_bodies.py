"""The bodies of one exchange that plans read: its request's, and then its response's, in one collector.

Few exchanges have one, so it is made when it is needed.
"""

from __future__ import annotations

from collections.abc import Hashable

from wardgate.proxy.core.reasons import ReplyReason
from wardgate.proxy.io.budget import Budget
from wardgate.proxy.io.downstream.collector import Collector
from wardgate.proxy.io.downstream.outbox import Outbox


class CollectedBodies:
    """``bodies``: the budget of the worker. ``holder``: whom it is charged to, the caller that is known by then."""

    __slots__ = ("_bodies", "_collector")

    def __init__(self, bodies: Budget) -> None:
        self._bodies = bodies
        self._collector: Collector | None = None

    def begin(self, holder: Hashable, *, most: int) -> Collector:
        """Return what collects the body that begins; ``most``: bytes of it."""
        if self._collector is None:
            self._collector = Collector(self._bodies, most=most)
        self._collector.most = most
        self._collector.charge_to(holder)
        return self._collector

    def charge_to(self, holder: Hashable) -> ReplyReason | None:
        """Charge another holder with what is held, or say why there is no room."""
        return None if self._collector is None else self._collector.charge_to(holder)

    def owe(self, outbox: Outbox) -> None:
        """The exchange is over: the charge ends once what was made of the bodies has been sent."""
        if self._collector is not None:
            outbox.owe(self._collector)
