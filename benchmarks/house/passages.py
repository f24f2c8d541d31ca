"""How far one thing travels: calls of functions, files they are in, and how often a call is in another file than the
one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Passage:
    """One journey."""

    calls: int
    files: int
    changes: int

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.files} files, {self.changes} changes"


def passage(*calls: Sequence[str]) -> Passage:
    """Count the calls of several processes, one after the other. What starts a call in another process is no change."""
    every = [file for process in calls for file in process]
    changes = sum(one != other for process in calls for one, other in pairwise(process))
    return Passage(len(every), len(set(every)), changes)
