"""Names that have left the config, and when nothing is heard of them any more.

A request outlives the route that it came by, and its count must be scraped before the series goes. So a name goes when
nothing was heard of it for ``LINGER`` seconds after it left; a stream that ends later brings it back for as long.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from typing import Final, Generic, TypeVar

_Name = TypeVar("_Name", bound=Hashable)

LINGER: Final = 300.0
"""Seconds: several scrapes, and as long as Prometheus takes a series for live without a new value."""
MOST: Final = 1000
"""Names that linger; of more the ones that were silent longest go at once."""


class Departures(Generic[_Name]):
    """Moments are monotonic, in seconds. Before ``serve`` was called every name is there to stay."""

    def __init__(self) -> None:
        self._served: AbstractSet[_Name] | None = None
        self._left: dict[_Name, float] = {}
        """When each was last heard of, the longest ago first."""

    def serve(self, names: AbstractSet[_Name], *, known: Iterable[_Name], now: float) -> None:
        """The config has these names, of those that are ``known`` or not."""
        self._served = names
        self._left = {name: at for name, at in self._left.items() if name not in names}
        for name in known:
            if name not in names:
                self._left.setdefault(name, now)

    def heard(self, name: _Name, *, now: float) -> None:
        """Something came of a name."""
        if self._served is not None and name not in self._served:
            self._left.pop(name, None)
            self._left[name] = now

    def gone(self, now: float) -> list[_Name]:
        """Return the names to forget, and forget them."""
        surplus = len(self._left) - MOST
        gone = []
        for number, (name, at) in enumerate(self._left.items()):
            if number >= surplus and now - at < LINGER:
                break
            gone.append(name)
        for name in gone:
            del self._left[name]
        return gone
