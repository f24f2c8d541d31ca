"""The proxy as its config source knows it, and the reasons why a bundle does not get that far."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from wardgate.wire.bundle import Bundle

Cause: TypeAlias = Literal["missing", "unreadable", "sequence", "schema", "shard", "config", "internal"]
"""The reasons why an index is not in force."""


class ConfigConsumer(Protocol):
    """The proxy, as far as its config source knows it."""

    async def apply(self, bundle: Bundle, *, noticed: float) -> None:
        """Put a bundle in force. ``noticed``: when, on the clock. Raises ``NotInForce``."""
        ...

    def confirmed(self) -> None:
        """Hear that what is in force has been confirmed: ask for its age."""
        ...

    def announce(self, text: str) -> None:
        """Tell a person a sentence or two, once for each event."""
        ...


class NotInForce(Exception):
    """An index, or what it names, is not put in force; the text says why. ``again``: another attempt may mend it."""

    def __init__(self, cause: Cause, text: str, *, again: bool = False) -> None:
        super().__init__(text)
        self.cause = cause
        self.again = again
