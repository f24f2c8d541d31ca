"""A limit of writes: a burst at once, then so many a second. Pure; the clock's reading is handed in."""

from __future__ import annotations

from typing import Final

_ROUNDING: Final = 1e-6
"""Part of a token that may be missing: a caller that slept as long as it was told must find one."""


class TokenBucket:
    """``rate`` tokens a second, at most ``burst`` saved up; full at the start."""

    def __init__(self, *, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._filled = float("-inf")

    def take(self, now: float) -> float:
        """Take one token and return 0, or return the seconds until there is one. ``now`` is monotonic."""
        if self._filled != float("-inf"):
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens >= 1.0 - _ROUNDING:
            self._tokens = max(0.0, self._tokens - 1.0)
            return 0.0
        return (1.0 - self._tokens) / self._rate
