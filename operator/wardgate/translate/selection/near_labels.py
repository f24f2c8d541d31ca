"""The label that a misspelt one was likely meant to be, for a sentence to a person: no decision rests on it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

Label: TypeAlias = tuple[str, str]

_NEAR: Final = 0.75
_COMPARED_AT_MOST: Final = 100
"""Labels that one label is compared with, for each half that they share."""


def text(label: Label) -> str:
    """A label as people write it: ``name=value``."""
    return f"{label[0]}={label[1]}"


class CarriedLabels:
    """The labels that some objects carry, by their halves."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self._known = set(labels)
        self._sharing: dict[tuple[int, str], list[Label]] = {}
        for label in sorted(self._known):
            for half in (0, 1):
                sharing = self._sharing.setdefault((half, label[half]), [])
                if len(sharing) < _COMPARED_AT_MOST:
                    sharing.append(label)

    def near(self, label: Label) -> Iterator[Label]:
        """The labels that are near this one: those with its name first."""
        for half in (0, 1):
            for other in self._sharing.get((half, label[half]), ()):
                if _is_near(label, other):
                    yield other

    def meant(self, wanted: Sequence[Label]) -> tuple[Label, Label] | None:
        """The first of the ``wanted`` labels that nothing carries, and the carried label near it; None: no guess."""
        for label in wanted:
            if label not in self._known:
                for other in self.near(label):
                    return label, other
        return None


def _is_near(label: Label, other: Label) -> bool:
    """Whether two labels share the name and nearly the value, or the value and nearly the name."""
    if label[0] == other[0]:
        return _alike(label[1], other[1])
    return label[1] == other[1] and _alike(label[0], other[0])


def _alike(one: str, other: str) -> bool:
    return one != other and bool(difflib.get_close_matches(one.lower(), [other.lower()], n=1, cutoff=_NEAR))
