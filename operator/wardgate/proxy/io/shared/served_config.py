"""The config that a worker serves: its routes and keys, and until when they may be trusted.

Exchanges keep the table that they began with; keys are asked for anew where a request waits or lasts (invariant 5).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import random

from wardgate.proxy.core.auth.caller import Caller
from wardgate.proxy.core.auth.credential_index import CredentialIndex
from wardgate.proxy.core.exchange import Exchange
from wardgate.proxy.core.messages import Request
from wardgate.proxy.core.routing.table import CompiledListener, Table
from wardgate.proxy.core.upstream.lots import Lots
from wardgate.proxy.io.shared.request_ids import RequestIds


class ServedConfig:
    """``max_age`` in seconds, 0: however old it is. ``clock`` is monotonic and ``now`` the wall's, both in seconds."""

    __slots__ = ("_clock", "_max_age", "_now", "_stale_after", "credentials", "ids", "lots", "table")

    def __init__(self, *, max_age: float, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self.table: Table | None = None
        self.credentials = CredentialIndex()
        self._max_age = max_age
        self._clock = clock
        self._now = now
        self.ids = RequestIds()
        self.lots = Lots(_below)
        # A config whose age nobody has told yet is too old, where age matters at all.
        self._stale_after = -math.inf if max_age else math.inf

    def renew(self, *, age: float) -> None:
        """The config was confirmed ``age`` seconds ago; from then on this process counts by itself."""
        if self._max_age:
            self._stale_after = self._clock() - age + self._max_age

    @property
    def is_stale(self) -> bool:
        """Whether the config was confirmed longer ago than it may be served."""
        # Where age does not matter, no request pays for the clock.
        return self._max_age > 0 and self._clock() > self._stale_after

    def listener(self, port: int) -> CompiledListener | None:
        """Return the listener of that port in the table in force."""
        return None if self.table is None else self.table.listeners.get(port)

    def listener_name(self, port: int) -> str:
        """Return the name of the listener on that port, or the port where there is none any more."""
        listener = self.listener(port)
        return str(port) if listener is None else listener.name

    def exchange(self, request: Request, *, port: int, caller: Caller) -> Exchange:
        """Begin an exchange on the table in force."""
        table = self.table
        assert table is not None, "Asked only where there is a listener()."
        request.request_id = self.ids.name(request)
        return Exchange(
            table,
            self.credentials,
            listener=table.listeners[port],
            request=request,
            caller=caller,
            now=self._now(),
            pick=self.lots.draw,
        )

    def revoked_since(self, exchange: Exchange, *, known: float, now: float) -> float:
        """Return since when a key that authenticated the request has not been good any more (invariant 5).

        ``known`` is the last answer, infinity at first; infinity is also the answer for keys that are good.
        """
        used = exchange.credentials_used
        if not used or all(self.credentials.holds(credential, now=self._now()) for credential in used):
            return math.inf
        return min(known, now)


def _below(count: int) -> int:
    """Draw a number from 0 below ``count``; ``randrange`` takes ten times as long."""
    return int(random() * count)  # noqa: S311 - it shares the load out and guards nothing
