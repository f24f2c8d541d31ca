"""What passes between a proxy and its config source: bundles down, and how the delivery goes for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from wardgate.wire.bundle import Bundle

Cause: TypeAlias = Literal["missing", "unreadable", "sequence", "schema", "shard", "config", "internal"]
"""Why an index is not in force."""


class Consumer(Protocol):
    """The proxy, as far as its config source knows it."""

    async def apply(self, bundle: Bundle, *, noticed: float) -> str:
        """Put a bundle in force; return why it cannot be, or an empty string. ``noticed``: when, on the clock."""
        ...

    def confirmed(self) -> None:
        """Hear that what is in force has been confirmed: ask for its age."""
        ...

    def announce(self, text: str) -> None:
        """Tell a person a sentence or two, once for each event."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the config arrives. ``age`` is in seconds, infinite before the first revision.

    ``sequence`` is the one in force, ``refused_sequence`` a smaller one that the index has now. ``refused`` counts, by
    cause, how often an index was looked at and not put in force.
    """

    sequence: int | None
    refused_sequence: int | None
    age: float
    connected: bool
    verified_at: str
    problem: str
    refused: Mapping[str, int]


class NotInForce(Exception):
    """An index, or what it names, is not put in force; the text says why. ``again``: another attempt may mend it."""

    def __init__(self, cause: Cause, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.cause = cause
        self.again = again
