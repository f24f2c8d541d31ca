"""The admin pages of a proxy, each made of the state that the supervisor has at that moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from wardgate.admin import Page, json_page
from wardgate.ir import GatewayConfig
from wardgate.proxy.redacted import redacted
from wardgate.proxy.worker_process import WorkerProcess
from wardgate.wire.bundle import Bundle
from wardgate.wire.delivery import Delivery
from wardgate.wire.schema import READ_MAJORS


@dataclass(frozen=True, slots=True)
class ProxyState:
    """A proxy at one moment. ``bundle`` and ``config`` are what is in force; ``workers`` are sorted by their numbers.

    ``unserved``: the listeners whose ports are not bound, with the reasons. ``delivery`` None: no cluster is followed.
    """

    bundle: Bundle | None
    config: GatewayConfig | None
    workers: Sequence[WorkerProcess]
    troubles: Sequence[str]
    unserved: Mapping[str, str]
    delivery: Delivery | None
    stopping: bool

    @property
    def age(self) -> float:
        """Seconds since the config was last confirmed; infinite where nobody confirms it."""
        return math.inf if self.delivery is None else self.delivery.age


def pages(
    state: Callable[[], ProxyState], registry: CollectorRegistry, *, max_age: float
) -> Mapping[str, Callable[[], Page]]:
    """The pages by their paths. ``max_age``: seconds that a config may be old, 0 without a bound."""
    return {
        "/healthz": lambda: Page(200, b"ok\n"),
        "/readyz": lambda: _ready(state(), max_age=max_age),
        "/metrics": lambda: Page(200, generate_latest(registry), CONTENT_TYPE_LATEST),
        "/revision": lambda: json_page(_revision(state())),
        "/config": lambda: json_page(redacted(state().config)),
    }


def _ready(state: ProxyState, *, max_age: float) -> Page:
    if state.stopping:
        return Page(503, b"stopping\n")
    if not any(worker.serves for worker in state.workers):
        why = " ".join(("no config yet" if state.bundle is None else "no worker serves", *state.troubles))
        return Page(503, why.encode() + b"\n")
    if 0 < max_age < state.age:
        return Page(503, b"config too old\n")
    return Page(200, b"ready\n")


def _revision(state: ProxyState) -> dict[str, object]:
    bundle = state.bundle
    return {
        "revision": bundle.revision if bundle else "",
        "schema": bundle.schema if bundle else "",
        "reads": list(READ_MAJORS),
        "workers": [worker.served_revision for worker in state.workers],
        "worker_troubles": list(state.troubles),
        "unserved": dict(state.unserved),
        **({} if state.delivery is None else _shown(state.delivery)),
    }


def _shown(now: Delivery) -> dict[str, object]:
    return {
        "sequence": now.sequence,
        "refused_sequence": now.refused_sequence,
        "age_seconds": round(now.age, 3) if now.age < math.inf else None,
        "connected": now.connected,
        "verified_at": now.verified_at,
        "problem": now.problem,
    }
