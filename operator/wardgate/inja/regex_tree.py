"""The tree of a regular expression over bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Chars:
    """One byte out of a set; bit ``n`` of the mask stands for byte ``n``."""

    mask: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """``^``, ``$``, ``b`` (a word boundary) or ``B`` (none)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Group:
    """Parentheses; ``index`` is ``None`` for ``(?:...)``."""

    index: int | None
    inner: Regex


@dataclass(frozen=True, slots=True)
class Concat:
    """One after the other; empty for the empty expression."""

    parts: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives; the first that leads to a match wins."""

    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A quantifier; ``most`` is ``None`` for any number."""

    inner: Regex
    least: int
    most: int | None
    lazy: bool


Regex: TypeAlias = Chars | Anchor | Group | Concat | Choice | Repeat
EMPTY: Final = Concat(())


def sequence(parts: Sequence[Regex]) -> Regex:
    """Put parts one after the other, without needless layers."""
    return parts[0] if len(parts) == 1 else Concat(tuple(parts))
