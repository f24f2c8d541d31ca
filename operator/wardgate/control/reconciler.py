"""The operator's loop: whenever something changed, freeze the store, translate, and publish if the revision differs.

Level-triggered: a round looks at everything there is, so nothing depends on having seen every change. A round that
cannot be published is tried again; what the proxies serve stays meanwhile. Rounds outlive terms: followers translate as
well, so that a new leader is warm, and publish nothing. The config of a round is written as a part of the term that it
began in, and is broken off with it.

A round ends with publishing. Judging objects, writing statuses and remembering what was good is deferred work, a
moment later, because a revocation must not wait for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from wardgate.control.deferred_work import DEPOSED, DeferredWork, PublishedRound
from wardgate.control.lost_policies import LostPolicies
from wardgate.control.metrics import Metrics
from wardgate.control.release_scope import ReleaseScope
from wardgate.control.size_limit import Excess, Publishable, SizeLimit, size_of
from wardgate.control.trigger import Trigger
from wardgate.faults import place_of
from wardgate.kube.api.errors import KubeError
from wardgate.kube.lead.fence import Deposed
from wardgate.kube.lead.term import Term
from wardgate.kube.publish.publisher import Publisher
from wardgate.problems import ObjectRef
from wardgate.renderer import Renderer
from wardgate.store import Store
from wardgate.translate.policies.lost_policies import KIND
from wardgate.wire.bundle import Bundle

_log = logging.getLogger(__name__)
_BACKOFF: Final = (0.05, 0.2, 1.0, 2.0, 5.0)
_LOOK_AGAIN: Final = 0.1
"""Seconds until another look at what was not listed yet: a list that was refused is an answer, and changes nothing."""


class Cluster(Protocol):
    """The part of the watches that rounds ask."""

    def missing(self) -> tuple[str, ...]:
        """Why the store is not complete yet, one sentence for each kind; empty once every kind was listed."""
        ...

    def is_live(self) -> bool:
        """Whether every watch is known to deliver, so that what is held is what is true now."""
        ...

    def follow_named(self, named: Iterable[ObjectRef]) -> None:
        """Watch these Secrets besides the key Secrets, and no others."""
        ...

    def refused_secrets(self) -> frozenset[str]:
        """Those of them, ``NAMESPACE/NAME``, that may not be read."""
        ...

    async def list_again(self) -> None:
        """List every kind once more, consistently. Raises ``KubeError``."""
        ...


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the rounds of one term go."""

    term: Term
    publisher: Publisher
    deferred_work: DeferredWork


class Reconciler:
    """``clock`` counts seconds. ``release_scope`` is the part of the cluster that this release serves.

    ``schema``: the version of the format to write in.
    """

    def __init__(
        self,
        *,
        store: Store,
        renderer: Renderer,
        release_scope: ReleaseScope,
        trigger: Trigger,
        cluster: Cluster,
        schema: Callable[[], str],
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._renderer = renderer
        self._release_scope = release_scope
        self._trigger = trigger
        self._cluster = cluster
        self._schema = schema
        self._metrics = metrics
        self._clock = clock
        self._outputs: Outputs | None = None
        self._failures = 0
        self._round = asyncio.Lock()
        self._waiting_for: tuple[str, ...] = ()
        self._size_limit = SizeLimit()
        self._excess: Excess | None = None
        self._lost_policies = LostPolicies()

    async def run(self) -> None:
        """Do a round after every change, for ever."""
        while True:
            noticed = await self._trigger.wait()
            async with self._round:
                delay = await self._try_round(noticed)
            if delay:
                await asyncio.sleep(delay)
                self._trigger.mark()

    async def take_over(self, outputs: Outputs) -> None:
        """List all once more, remember what was good, own the index; then publish. Raises ``KubeError``.

        The order matters: what a frozen watch hid must not be published again under a new leader's name, and an object
        that turned bad while nobody watched keeps its last good form.
        """
        async with self._round:
            await self._cluster.list_again()
            loaded = await outputs.deferred_work.begin()
            self._lost_policies.meet(self._store.held_of(KIND))
            self._renderer.last_good = self._lost_policies.recall(loaded, known=self._renderer.last_good)
            await outputs.publisher.take_over(outputs.term)
            self._outputs = outputs
            self._size_limit.forget()
        self._trigger.mark()

    def history_was_rolled_back(self) -> None:
        """A backup was restored: versions may be used again for something else."""
        self._renderer.forget()

    async def _try_round(self, noticed: float) -> float:
        """Do one round; return the seconds after which to try again, 0 if it is done."""
        try:
            is_done = await self._do_round(noticed)
            self._failures = 0
            return 0.0 if is_done else _LOOK_AGAIN
        except Deposed as error:
            # Broken off with its term, a round has nothing to tell: the next term begins with another one.
            if self._outputs is not None and self._outputs.term.cause is error:
                _log.warning(DEPOSED, error)
            return 0.0
        except KubeError as error:
            self._metrics.publish_failures += 1
            _log.warning("The config could not be published and will be again: %s", error)
        except Exception as error:  # noqa: BLE001 - what the proxies serve must outlive whatever a round runs into
            self._metrics.internal_errors += 1
            _log.error(
                "Internal error (%s): what was published stays. Please report this as a bug of Wardgate.",
                place_of(error),
            )
        self._failures += 1
        return _BACKOFF[min(self._failures, len(_BACKOFF)) - 1]

    async def _do_round(self, noticed: float) -> bool:
        """Return whether the round went through: none does while a kind was never listed."""
        if not self._is_complete():
            return False
        started = self._clock()
        self._renderer.schema = self._schema()
        self._renderer.settings = replace(self._renderer.settings, refused_secrets=self._cluster.refused_secrets())
        snapshot = self._release_scope.of(self._store.freeze())
        rendered = await asyncio.to_thread(self._renderer.render, snapshot)
        translation = rendered.translation
        self._lost_policies.meet(snapshot.of(KIND))
        self._lost_policies.tell(translation.lost_policies)
        self._metrics.lost_policies = self._lost_policies.count
        self._metrics.translated(self._clock() - started)
        self._cluster.follow_named(translation.named_secrets)
        if self._cluster.missing():
            return False  # a Secret that was named just now is about to be read
        outputs = self._outputs
        if outputs is None or outputs.term.is_over:
            return True
        limit = self._renderer.settings.config_bytes
        self._metrics.config_bytes = size = size_of(rendered.bundle)
        # First, because what follows may fail: what is never published must not count as good.
        accepted = self._renderer.retract() if size > limit else None
        publishable = await self._size_limit.publishable(
            translation.config, rendered.bundle, limit=limit, read=outputs.publisher.read
        )
        # Before it is: a write whose answer is lost may be in force, and what comes next must not go behind it.
        self._size_limit.settled_on(publishable)
        sequence = 0
        if publishable.bundle is not None:
            publish = self._publish(outputs.publisher, publishable.bundle, noticed=noticed)
            sequence = await outputs.term.write(publish)
        self._tell_excess(publishable)
        outputs.deferred_work.take(PublishedRound(translation, publishable, sequence, accepted))
        return True

    def _tell_excess(self, publishable: Publishable) -> None:
        excess, told = publishable.excess, self._excess
        self._excess = excess
        if excess is None:
            if told is not None:
                _log.info("Everything fits again.")
        elif told is None or told.refused != excess.refused:
            _log.warning("%s", excess)

    def _is_complete(self) -> bool:
        missing = self._cluster.missing()
        if missing != self._waiting_for:
            if not self._waiting_for:
                _log.info("Waiting for the first lists of the cluster's objects.")
            for sentence in missing:
                _log.debug("%s", sentence)
            self._waiting_for = missing
        return not missing

    async def _publish(self, publisher: Publisher, bundle: Bundle, *, noticed: float) -> int:
        published = await publisher.publish(bundle, verified=self._cluster.is_live())
        if published.index_written:
            self._metrics.published(
                seconds=published.seconds, latency=self._clock() - noticed, revision=published.revision
            )
            _log.info(
                "Published %s as %d: %d new shards, in %.0f ms, %.0f ms after the change was seen.",
                published.revision[:12],
                published.sequence,
                published.created,
                published.seconds * 1000,
                (self._clock() - noticed) * 1000,
            )
        return published.sequence
