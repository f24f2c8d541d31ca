"""How a config arrives at a proxy, for ``/revision``, the metrics, and the greatest age at which it is served.

It stands between the source, which makes it, and the proxy, which shows it and knows of no cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivery:
    """A moment's state. ``age``: seconds since the revision in force was last confirmed, infinite if it never was."""

    sequence: int | None
    """The sequence in force; None before the first."""
    refused_sequence: int | None
    """The smaller sequence that the source has now; None: it has none."""
    age: float
    connected: bool
    """Whether changes are being followed."""
    verified_at: str
    """When the writer last renewed the revision in force, by the writer's clock."""
    problem: str
    """A sentence or two about what is wrong; empty if nothing is."""
    refused: Mapping[str, int]
    """By cause, how often something newer was looked at and not put in force."""
