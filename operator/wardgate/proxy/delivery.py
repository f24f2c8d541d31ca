"""How a config arrives, as its source tells: for ``/revision``, the metrics, and the greatest age it may be served at.

Whoever feeds the supervisor hands this in, so that the proxy knows of no cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Delivery(Protocol):
    """A moment's state. ``age``: seconds since what is in force was last confirmed, infinite if it never was."""

    @property
    def sequence(self) -> int | None:
        """The sequence in force; None before the first."""
        ...

    @property
    def refused_sequence(self) -> int | None:
        """The smaller sequence that the source has now; None: it has none."""
        ...

    @property
    def age(self) -> float: ...

    @property
    def connected(self) -> bool:
        """Whether changes are being followed."""
        ...

    @property
    def verified_at(self) -> str:
        """When the writer last renewed what is in force, by the writer's clock."""
        ...

    @property
    def problem(self) -> str:
        """What is wrong, in a sentence or two; empty if nothing is."""
        ...

    @property
    def refused(self) -> Mapping[str, int]:
        """By cause, how often something newer could not be put in force."""
        ...
