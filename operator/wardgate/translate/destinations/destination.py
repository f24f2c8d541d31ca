"""A destination as the selectors of policies see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """The target of a route as policies see it. ``labels`` None: the target's labels are not known."""

    kind: str
    namespace: str
    name: str
    port: int | str | None = None
    labels: frozenset[tuple[str, str]] | None = None
