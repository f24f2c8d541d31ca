"""Keeps the config below a total size, without opening anything and without keeping a revocation back.

Rule 1: a config that fits is published as it is.
Rule 2: while one does not, routes, policies and gateways stay as they were last published: their owners' last accepted
        words, with nothing of a later word mixed into them.
Rule 3: keys go on. A key set is named after what it selects, so what its Secrets say today is right for the routes of
        yesterday; a set that nobody asks for any more has no keys, and its routes refuse everybody.
Rule 4: where the keys are too many as well, none comes: those that are in force stay, each as long as its Secret is
        what it was. A key that was deleted, or changed in any way, is revoked.
Rule 5: a restart changes nothing: the config in force is read back from its shards.

The installation's own bounds (``guard``, the variables and limits of templates) are nobody's objects and go on as well.
The size is counted in clear: that adds up, and is what a proxy holds. No I/O but for rule 5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from wardgate.ir import ApiKeyStep, Credential, GatewayConfig
from wardgate.problems import ObjectRef
from wardgate.wire.bundle import Bundle
from wardgate.wire.decode import decode
from wardgate.wire.encode import Encoder

_NAMED_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Excess:
    """A config of ``size`` bytes, of at most ``limit``. ``refused``: the Secrets with keys that are not published."""

    size: int
    limit: int
    refused: tuple[ObjectRef, ...] = ()

    def __str__(self) -> str:
        text = (
            f"The config comes to {self.size} bytes of at most {self.limit} (config_bytes): routes, policies and "
            "gateways stay as they were last published until it fits; revoked keys are refused at once."
        )
        named = ", ".join(map(str, self.refused[:_NAMED_AT_MOST]))
        more = f" and {len(self.refused) - _NAMED_AT_MOST} more" if len(self.refused) > _NAMED_AT_MOST else ""
        return f"{text} Keys that are refused until then: {named}{more}." if named else text


@dataclass(frozen=True, slots=True)
class Publishable:
    """The part of a config that is published. ``bundle`` None: nothing is, because nothing ever was.

    ``excess``: why it is not all of it.
    """

    config: GatewayConfig
    bundle: Bundle | None
    excess: Excess | None = None


class SizeLimit:
    """Owned by one task."""

    def __init__(self) -> None:
        self._in_force: GatewayConfig | None = None
        self._encoder: Encoder | None = None

    def forget(self) -> None:
        """Others may have published since."""
        self._in_force = self._encoder = None

    def settled_on(self, one: Publishable) -> None:
        """This is about to be in force: whatever becomes of the attempt, nothing older is published after it."""
        if one.bundle is not None:
            self._in_force = one.config
        if one.excess is None:
            self._encoder = None

    async def publishable(
        self, config: GatewayConfig, bundle: Bundle, *, limit: int, read: Callable[[], Awaitable[Bundle | None]]
    ) -> Publishable:
        """The part of a config that is published; ``bundle`` is all of it.

        ``read`` gets the bundle in force. Raises what it raises, and ``WireError``.
        """
        size = size_of(bundle)
        if size <= limit:
            return Publishable(config, bundle)
        if self._in_force is None:
            published = await read()
            if published is None:
                return Publishable(GatewayConfig(), None, Excess(size, limit))
            self._in_force = (await asyncio.to_thread(decode, published)).config
        if self._encoder is None or self._encoder.schema != bundle.schema:
            self._encoder = Encoder(schema=bundle.schema)
        excess = Excess(size, limit)
        return await asyncio.to_thread(
            _remainder, config, in_force=self._in_force, encoder=self._encoder, excess=excess
        )


def size_of(bundle: Bundle) -> int:
    """The bytes of all groups, in clear."""
    return sum(map(len, bundle.groups.values()))


def _remainder(config: GatewayConfig, *, in_force: GatewayConfig, encoder: Encoder, excess: Excess) -> Publishable:
    """The part of a config that goes on although it is too large (rules 2 to 4)."""
    going_on = replace(
        config,
        listeners=in_force.listeners,
        upstreams=in_force.upstreams,
        auth_plans=in_force.auth_plans,
        transformations=in_force.transformations,
        credentials=tuple(_asked_for(config, in_force)),
    )
    bundle = encoder.encode(going_on)
    if size_of(bundle) > excess.limit:
        unchanged = frozenset(in_force.credentials)
        going_on = replace(going_on, credentials=tuple(one for one in going_on.credentials if one in unchanged))
        bundle = encoder.encode(going_on)
    return Publishable(going_on, bundle, replace(excess, refused=_refused(config, going_on)))


def _asked_for(config: GatewayConfig, in_force: GatewayConfig) -> Iterator[Credential]:
    """The keys of today in the sets of the routes in force."""
    sets = {step.key_set for plan in in_force.auth_plans for step in plan.steps if isinstance(step, ApiKeyStep)}
    return (one for one in config.credentials if one.key_set in sets)


def _refused(config: GatewayConfig, going_on: GatewayConfig) -> tuple[ObjectRef, ...]:
    kept = {(one.key_set, one.digest) for one in going_on.credentials}
    missing = (one for one in config.credentials if (one.key_set, one.digest) not in kept)
    return tuple(sorted({ObjectRef("Secret", one.namespace, one.name) for one in missing}))
