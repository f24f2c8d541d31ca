"""The ports of a proxy: bound for all its workers, and tried again where they could not be.

A port is kept over configs that name it, because closing a socket resets the connections that are queued on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from wardgate.proxy.settings import ProxySettings
from wardgate.proxy.sockets import BindError, BoundPort, bind

_AGAIN_AFTER: Final = 1.0
"""Seconds between two attempts to bind what could not be bound."""


class OpenPorts:
    """``count``: how many workers have sockets. ``on_bound`` gets every port that is bound."""

    def __init__(self, settings: ProxySettings, *, count: int, on_bound: Callable[[BoundPort], None]) -> None:
        self._hosts = settings.bind
        self._mapped = dict(settings.ports)
        self._count = count
        self._on_bound = on_bound
        self._bound: dict[int, BoundPort] = {}
        self._unbound: dict[int, str] = {}
        self._again_at = 0.0

    @property
    def bound(self) -> Mapping[int, BoundPort]:
        """By their own numbers the ports that are open. The mapping is always the same one, and changes."""
        return self._bound

    @property
    def unbound(self) -> Mapping[int, str]:
        """Ports that could not be bound at the last attempt, each with the reason."""
        return self._unbound

    def open(self, wanted: Iterable[int]) -> list[str]:
        """Bind what is not bound of these ports; return the reasons why some cannot be."""
        self._again_at = time.monotonic() + _AGAIN_AFTER
        self._unbound.clear()
        for port in sorted(set(wanted) - self._bound.keys()):
            try:
                bound = bind(
                    hosts=self._hosts, port=self._mapped.get(port, port), listener_port=port, count=self._count
                )
            except BindError as error:
                self._unbound[port] = str(error)
                continue
            self._bound[port] = bound
            self._on_bound(bound)
        return list(self._unbound.values())

    def open_again(self) -> Iterator[int]:
        """Try once more, if it is time, what could not be bound: its holder may have ended. Yield what is bound now."""
        if self._unbound and time.monotonic() >= self._again_at:
            wanted = set(self._unbound)
            self.open(wanted)
            yield from sorted(wanted - self._unbound.keys())

    def close_others(self, wanted: Iterable[int]) -> None:
        """Close all ports but these."""
        for port in self._bound.keys() - set(wanted):
            self._bound.pop(port).close()

    def close(self) -> None:
        """Close our copies of all sockets. Workers go on with theirs."""
        for bound in self._bound.values():
            bound.close()
