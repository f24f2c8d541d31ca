"""Rewrites a parsed expression so that it certainly matches in linear time (docs/decisions/0031).

There are two engines. Python's ``re`` is some twenty times quicker per match than the binding of RE2, but backtracks;
RE2 never does. So ``re`` gets only the everyday expressions that are *proven* here to need almost no backtracking; RE2
gets the rest.

The proof works on *runs*: sets of bytes with a quantifier, one after the other, with groups only for capturing. A run
of variable length is harmless if giving back a byte can never help, because the next run must begin with a byte outside
its set. The last such run may be followed by runs of fixed, short length: each length is tried once.

REPLACE_ALL never replaces an empty match; ``without_empty`` rewrites an expression so that it cannot match emptily.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from wardgate.inja.errors import ConfigError
from wardgate.inja.regex_tree import EMPTY, Anchor, Chars, Choice, Concat, Group, Regex, Repeat, sequence

_MAX_TAIL: Final = 32
_MAX_FIXED: Final = 64
_MAX_ITEMS: Final = 64


class Use(Enum):
    """The ways in which an expression is applied."""

    WHOLE = auto()
    """To the whole value, or once at its beginning."""
    SEARCH = auto()
    """Repeatedly, from the end of each match to the next."""


@dataclass(frozen=True, slots=True)
class Run:
    """A set of bytes that may be repeated."""

    mask: int
    least: int
    most: int | None

    @property
    def varies(self) -> bool:
        return self.least != self.most


# -- the proof


def is_provably_linear(tree: Regex, use: Use) -> bool:
    """Tell whether Python's ``re`` needs time linear in the value's length for this expression."""
    runs = _runs(_without_outer_anchors(tree) if use is Use.WHOLE else tree)
    if runs is None or not _never_gives_back(runs):
        return False
    return use is Use.WHOLE or _searches_linearly(runs)


def repeated_looks(tree: Regex, use: Use) -> int:
    """Return how often ``re`` may examine one byte again, for an expression that is provably linear."""
    runs = _runs(_without_outer_anchors(tree) if use is Use.WHOLE else tree) or []
    if use is Use.SEARCH:
        return sum(run.least for run in runs)
    varying = [index for index, run in enumerate(runs) if run.varies]
    return sum(run.least for run in runs[varying[-1] + 1 :]) if varying else 0


def _without_outer_anchors(tree: Regex) -> Regex:
    parts = list(tree.parts) if isinstance(tree, Concat) else [tree]
    if parts and parts[0] == Anchor("^"):
        parts = parts[1:]
    if parts and parts[-1] == Anchor("$"):
        parts = parts[:-1]
    return Concat(tuple(parts))


def _runs(tree: Regex) -> list[Run] | None:
    """Flatten to runs; ``None`` for an expression with any other part."""
    if isinstance(tree, Chars):
        return [Run(tree.mask, 1, 1)]
    if isinstance(tree, Repeat):
        inner = tree.inner
        return [Run(inner.mask, tree.least, tree.most)] if isinstance(inner, Chars) else None
    if isinstance(tree, Group):
        return _runs(tree.inner)
    if isinstance(tree, Concat):
        runs: list[Run] = []
        for part in tree.parts:
            found = _runs(part)
            if found is None:
                return None
            runs += found
        return runs
    return None


def _never_gives_back(runs: list[Run]) -> bool:
    varying = [index for index, run in enumerate(runs) if run.varies]
    if not varying:
        return True
    for index in varying[:-1]:
        follower = runs[index + 1]
        if not follower.least or follower.mask & runs[index].mask:
            return False
    return sum(run.least for run in runs[varying[-1] + 1 :]) <= _MAX_TAIL


def _searches_linearly(runs: list[Run]) -> bool:
    """Tell whether attempts from different beginnings do not examine the same bytes over and over."""
    if sum(run.least for run in runs) > _MAX_FIXED or not runs or not runs[0].least:
        return False
    varying = [index for index, run in enumerate(runs) if run.varies]
    if not varying or varying == [len(runs) - 1]:
        return True
    return varying[0] > 0 and not any(runs[index].mask & runs[0].mask for index in varying)


# -- no empty matches


def without_empty(tree: Regex) -> Regex | None:
    """Rewrite to the same matches in the same order, without the empty ones. ``None`` if it matches only emptily."""
    found = [item for item, consumes in _split(tree) if consumes]
    return _choice(found) if found else None


def _split(tree: Regex) -> list[tuple[Regex, bool]]:
    """List alternatives by priority, each either certain to consume a byte or certain not to."""
    if isinstance(tree, Chars):
        return [(tree, True)]
    if isinstance(tree, Anchor):
        return [(tree, False)]
    if isinstance(tree, Group):
        return [(Group(tree.index, item), consumes) for item, consumes in _split(tree.inner)]
    if isinstance(tree, Choice):
        return _bounded([item for option in tree.options for item in _split(option)])
    if isinstance(tree, Repeat):
        return _split_repeat(tree)
    return _split_sequence(tree.parts)


def _split_sequence(parts: tuple[Regex, ...]) -> list[tuple[Regex, bool]]:
    if not parts:
        return [(EMPTY, False)]
    items: list[tuple[Regex, bool]] = [(EMPTY, False)]
    for part in parts:
        heads = _split(part)
        extended: list[tuple[Regex, bool]] = []
        for item, consumes in items:
            if consumes:
                extended.append((_joined(item, part), True))
            else:
                extended += [(_joined(item, head), taken) for head, taken in heads]
        items = _bounded(extended)
    return items


def _joined(first: Regex, second: Regex) -> Regex:
    left = first.parts if isinstance(first, Concat) else (first,)
    return sequence((*left, second))


def _split_repeat(tree: Repeat) -> list[tuple[Regex, bool]]:
    if tree.most == 0:
        return [(EMPTY, False)]
    once = _split(tree.inner)
    consuming = [item for item, consumes in once if consumes]
    if not consuming:
        return [(tree.inner if tree.least else EMPTY, False)]
    if len(consuming) == len(once):
        taken: Regex = Repeat(tree.inner, max(tree.least, 1), tree.most, tree.lazy)
        if tree.least:
            return [(taken, True)]
    else:
        # ``most`` None stays None: any number of repetitions.
        rest = Repeat(tree.inner, max(tree.least - 1, 0), tree.most and tree.most - 1, tree.lazy)
        if tree.least:
            return _split_sequence((tree.inner, rest))
        taken = _joined(_choice(consuming), rest)
    parts: list[tuple[Regex, bool]] = [(taken, True), (EMPTY, False)]
    return parts[::-1] if tree.lazy else parts


def _choice(options: list[Regex]) -> Regex:
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _bounded(items: list[tuple[Regex, bool]]) -> list[tuple[Regex, bool]]:
    if len(items) > _MAX_ITEMS:
        msg = "too many ways to match nothing"
        raise ConfigError(msg)
    return items


# -- the last round of a loop


def with_last_round(tree: Regex) -> Regex:
    """Make a loop's last, empty round explicit: libstdc++ runs it, and its captures count.

    ``(a*)+`` on ``aa`` captures ``""`` there; RE2 leaves that round out.
    """
    if isinstance(tree, Group):
        return Group(tree.index, with_last_round(tree.inner))
    if isinstance(tree, Choice):
        return Choice(tuple(map(with_last_round, tree.options)))
    if isinstance(tree, Concat):
        return Concat(tuple(map(with_last_round, tree.parts)))
    return _loop_with_last_round(tree) if isinstance(tree, Repeat) else tree


def _loop_with_last_round(tree: Repeat) -> Regex:
    if tree.most is not None or not _captures(tree.inner):
        return Repeat(with_last_round(tree.inner), tree.least, tree.most, tree.lazy)
    once = _split(tree.inner)
    consuming = [item for item, consumes in once if consumes]
    empty = [item for item, consumes in once if not consumes]
    if not consuming or not empty:
        return tree
    first = (Repeat(tree.inner, tree.least, tree.least, lazy=False),) if tree.least else ()
    rounds = Repeat(_choice(consuming), 0, None, tree.lazy)
    return Concat((*first, rounds, Repeat(_choice(empty), 0, 1, tree.lazy)))


def _captures(tree: Regex) -> bool:
    if isinstance(tree, Group):
        return tree.index is not None or _captures(tree.inner)
    if isinstance(tree, Repeat):
        return _captures(tree.inner)
    if isinstance(tree, Choice | Concat):
        return any(map(_captures, tree.options if isinstance(tree, Choice) else tree.parts))
    return False
