"""The state of each name: its addresses, how old they are, and whether a lookup is in flight.

Rule 1: a name has at most one lookup in flight, whoever waits for it, and a lookup outlives its waiters.
Rule 2: an answer is fresh for ``FRESH`` seconds, so that a burst of connects asks once.
Rule 3: a failure is one for ``FAILED`` seconds; nobody asks meanwhile.
Rule 4: where the servers do not answer, the last good addresses serve on for ``stale`` seconds (RFC 8767). A connect
        waits ``PATIENCE`` seconds for the better answer, counted from the lookup's beginning.
Rule 5: an answer that the name has no address counts at once: stale addresses serve a silence, not a "no".

Names come from the config, never from a request; ``MAX_NAMES`` bounds the memory all the same.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from wardgate.proxy.io.upstream.errors import Unresolvable
from wardgate.tasks import spawn

Lookup: TypeAlias = Callable[[str, int], Awaitable[tuple[str, ...]]]
"""Addresses of a host, none if it has none. Raises ``OSError`` if nobody knows, ``UnicodeError`` for a bad name."""

FRESH: Final = 5.0
FAILED: Final = 2.0
PATIENCE: Final = 0.3
MAX_NAMES: Final = 4096


@dataclass(slots=True)
class _Name:
    """Times are the clock's."""

    addresses: tuple[str, ...] = ()
    answered_at: float = -math.inf
    asked_at: float = -math.inf
    retry_at: float = -math.inf
    failure: str = ""
    lookup: asyncio.Task[None] | None = None


class NameCache:
    """``clock`` is monotonic; ``stale`` in seconds, 0 to serve no stale address; ``report`` takes sentences."""

    def __init__(
        self, *, lookup: Lookup, clock: Callable[[], float], stale: float, report: Callable[[str], None]
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._stale = stale
        self._report = report
        self._names: dict[str, _Name] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Return the addresses of a host, at least one. Raises ``Unresolvable``."""
        name = self._names.get(host) or self._remember(host)
        now = self._clock()
        if now < name.answered_at + FRESH:
            return name.addresses
        if name.lookup is None and now >= name.retry_at:
            name.asked_at = now
            name.lookup = spawn(self._ask(name, host, port=port), name=f"look up {host}")
        if name.lookup is not None:
            patience = max(0.0, name.asked_at + PATIENCE - now) if self._is_usable(name) else None
            # Not awaited itself: a waiter that gives up must not cancel what others wait for.
            await asyncio.wait((name.lookup,), timeout=patience)
        if not self._is_usable(name):
            raise Unresolvable(name.failure)
        return name.addresses

    def _is_usable(self, name: _Name) -> bool:
        return bool(name.addresses) and self._clock() < name.answered_at + FRESH + self._stale

    async def _ask(self, name: _Name, host: str, *, port: int) -> None:
        name.failure = f"The name {host} could not be looked up."
        try:
            found = await self._lookup(host, port)
        except OSError:
            name.failure = f"No name server gave an answer for {host}."
            if self._is_usable(name):
                self._report(f"{name.failure} Its last good addresses serve for {self._stale:.0f} s at most.")
        except UnicodeError:
            name.addresses, name.failure = (), f"The name {host} does not resolve: it is no host's name."
        else:
            name.addresses, name.failure = found, f"The name {host} has no address."
            name.answered_at = self._clock() if found else -math.inf
        finally:
            # After an answer too: a name that has no address is asked for again no sooner.
            name.retry_at = self._clock() + FAILED
            name.lookup = None

    def _remember(self, host: str) -> _Name:
        if len(self._names) >= MAX_NAMES:
            forgotten = next((host for host, name in self._names.items() if name.lookup is None), None)
            if forgotten is None:
                detail = f"Too many names are being looked up; {host} has to wait."
                raise Unresolvable(detail)
            del self._names[forgotten]
        name = self._names[host] = _Name()
        return name
