"""Passwords that were shown to this process, right and wrong ones, and the limits on trying another one.

Checking a password costs half a millisecond of the worker's only thread, and a wrong one is perhaps a guess. So

Rule 1: a pair that was right once passes, whatever anybody else does meanwhile.
Rule 2: a pair that was wrong is wrong again at no cost; a caller that repeats it is not a guesser.
Rule 3: new wrong pairs are limited for each address, and more tightly for one user at that address, so that a guesser
        takes little even from those who share an address with it, and nothing from all others.
Rule 4: the checks of all addresses together are limited by the sketch's slots, to a tenth of a core.

A user is never shut out as such: that would let any guesser lock out whom it names. Pairs are remembered by a keyed
digest of everything that the verdict depends on, for the life of the process, and only so many of them.
"""

from __future__ import annotations

import hmac
import secrets

from wardgate.proxy.core.auth.rate_sketch import RateSketch

_PERIOD = 60.0
"""Seconds in which ``per_address`` and ``per_user`` are earned anew."""
_REMEMBERED = 8192
"""Right pairs, and as many wrong ones."""
_SLOTS = 256


class Guesses:
    """One worker's memory and limits. ``per_address`` and ``per_user``: wrong passwords in a minute."""

    __slots__ = ("_addresses", "_right", "_seed", "_users", "_wrong")

    def __init__(self, *, per_address: int = 20, per_user: int = 5) -> None:
        self._seed = secrets.token_bytes(32)
        self._right: dict[bytes, None] = {}
        self._wrong: dict[bytes, None] = {}
        self._addresses = RateSketch(slots=_SLOTS, burst=per_address, interval=_PERIOD / per_address)
        self._users = RateSketch(slots=16 * _SLOTS, burst=per_user, interval=_PERIOD / per_user)

    def digest(self, *parts: bytes) -> bytes:
        """Return a key to remember a pair by; no two lists of parts have the same."""
        return hmac.digest(self._seed, b"".join(len(part).to_bytes(8, "big") + part for part in parts), "sha256")

    def recall(self, pair: bytes) -> bool | None:
        """Whether the pair was right when it was last checked; None: nobody remembers."""
        if pair in self._right:
            return True
        return False if pair in self._wrong else None

    def allowed(self, address: bytes, user: bytes, *, now: float) -> bool:
        """Whether a pair that nobody remembers may be checked."""
        return not (self._addresses.exhausted(address, now=now) or self._users.exhausted(_at(address, user), now=now))

    def was_right(self, pair: bytes) -> None:
        """Remember a pair."""
        _remember(self._right, pair)

    def was_wrong(self, pair: bytes, *, address: bytes, user: bytes, now: float) -> None:
        """Remember a pair, and charge who tried it."""
        _remember(self._wrong, pair)
        self._addresses.charge(address, now=now)
        self._users.charge(_at(address, user), now=now)


def _at(address: bytes, user: bytes) -> bytes:
    return len(address).to_bytes(2, "big") + address + user


def _remember(pairs: dict[bytes, None], pair: bytes) -> None:
    if len(pairs) >= _REMEMBERED:
        del pairs[next(iter(pairs))]
    pairs[pair] = None
