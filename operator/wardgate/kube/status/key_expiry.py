"""The expiry of the keys of each policy, so that its status can count them. Pure; the clock is handed in.

``translate`` reads no clock: it counts a key as usable until its Secret goes, and the proxies compare expiries. What a
status says is made here, from the config that holds the expiries already. A policy that guards no route has no plan in
the config; its keys are counted without regard to the time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wardgate.ir import ApiKeyStep, GatewayConfig
from wardgate.problems import ObjectRef

SOON: Final = timedelta(days=7)
"""How long before its expiry a key counts as expiring soon."""


@dataclass(frozen=True, slots=True)
class KeyExpiries:
    """Of each key set of one policy the unix seconds at which keys expire, sorted; keys without an end are left out."""

    key_sets: tuple[tuple[int, ...], ...] = ()

    def passed(self, now: datetime) -> int:
        """How many keys are refused by now, although their Secrets are there."""
        return sum(bisect_right(one, now.timestamp()) for one in self.key_sets)

    def soon(self, now: datetime) -> int:
        """How many keys count now and will not when ``SOON`` has passed."""
        return self.passed(now + SOON) - self.passed(now)


NO_EXPIRIES: Final = KeyExpiries()


class ExpiryIndex:
    """Keeps the tuples of the last config, so that what did not change is the same object and compares at once."""

    def __init__(self) -> None:
        self._by_set: dict[str, tuple[int, ...]] = {}

    def of(self, config: GatewayConfig) -> Mapping[ObjectRef, KeyExpiries]:
        """The expiries of every policy of which a key expires at all."""
        by_set = self._taken(config)
        found: dict[ObjectRef, KeyExpiries] = {}
        for plan in config.auth_plans if by_set else ():
            names = sorted({step.key_set for step in plan.steps if isinstance(step, ApiKeyStep)})
            key_sets = tuple(by_set[name] for name in names if name in by_set)
            if key_sets:
                namespace, _, name = plan.name.partition("/")
                found[ObjectRef("ExtAuthPolicy", namespace, name)] = KeyExpiries(key_sets)
        return found

    def _taken(self, config: GatewayConfig) -> Mapping[str, tuple[int, ...]]:
        collected: dict[str, list[int]] = {}
        for credential in config.credentials:
            if credential.expires_at is not None:
                collected.setdefault(credential.key_set, []).append(credential.expires_at)
        now = {name: tuple(sorted(expiries)) for name, expiries in collected.items()}
        self._by_set = {name: held if (held := self._by_set.get(name)) == one else one for name, one in now.items()}
        return self._by_set
