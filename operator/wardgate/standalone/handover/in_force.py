"""The answer of the proxy to a config: the listeners that serve it, and the problems to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

REVISION_SHOWN: Final = 12
"""Characters of a revision that a person is shown."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The outcome of putting a bundle in force.

    ``listeners``: where each is served, by name. ``complete``: no listener of the bundle is missing among them.
    ``ports``: those that the bundle's listeners ask for. ``refused``: no worker serves it, and what was in force stays.
    """

    listeners: Mapping[str, str]
    problems: tuple[str, ...] = ()
    complete: bool = True
    ports: frozenset[int] = frozenset()
    refused: bool = False
