"""The operator's admin pages: ``/healthz`` for the kubelet, ``/readyz`` for the Deployment, ``/metrics``.

Ready means that everything was listed once, never that this replica leads. Healthy means that what it holds is fresh:
a watch that is stale while the API server answers others is a fault that a restart mends; one that is stale because the
API server is away is not, and restarting would only lose what is held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from wardgate.admin import Page
from wardgate.control.metrics import Metrics

STALE: Final = 120.0
"""Seconds after which a kind counts as stale: it is listed, or heard of, every minute."""


class Health(Protocol):
    """The part of the watches that the probes ask."""

    def missing(self) -> tuple[str, ...]:
        """One sentence for each kind that was not listed yet."""
        ...

    def ages(self) -> Mapping[str, float]:
        """Seconds since each kind was last heard of."""
        ...


def operator_pages(health: Health, metrics: Metrics) -> Mapping[str, Callable[[], Page]]:
    """The pages by path."""
    registry = CollectorRegistry()
    registry.register(metrics)
    return {
        "/healthz": lambda: _healthy(health),
        "/readyz": lambda: _ready(health),
        "/metrics": lambda: Page(200, generate_latest(registry), CONTENT_TYPE_LATEST),
    }


def _ready(health: Health) -> Page:
    missing = health.missing()
    return Page(503, ("\n".join(missing) + "\n").encode()) if missing else Page(200, b"ready\n")


def _healthy(health: Health) -> Page:
    ages = health.ages()
    stale = sorted(kind for kind, age in ages.items() if age > STALE)
    if stale and len(stale) < len(ages):
        return Page(503, f"stale while others are fresh: {', '.join(stale)}\n".encode())
    return Page(200, b"ok\n")
