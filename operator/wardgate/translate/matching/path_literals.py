"""The literal text of a matcher's path: all that can be known of two paths without running a regex.

Every path that a matcher takes begins with its literal. Two matchers can meet only if the literal of one begins the
other's; an exact path meets nothing below it. Letters are compared in one case throughout: that may find an overlap
that does not exist, but never misses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from wardgate.ir import PathMatch, RouteMatch
from wardgate.translate.matching.literal_prefix import literal_prefix

MAX_LITERAL: Final = 256
"""Compared characters of a literal."""


class PathLiteral(NamedTuple):
    """``exact``: the matcher takes no longer path."""

    text: str
    exact: bool


def literal_of(match: RouteMatch) -> PathLiteral:
    """The longest literal of a matcher's path conditions, all of which hold."""
    found = [_literal(path) for path in match.paths]
    return max(found, key=lambda one: (one.exact, len(one.text)), default=PathLiteral("", exact=False))


def given_length(matches: Sequence[RouteMatch]) -> int:
    """The length of the path that is fixed whichever of the matchers a request meets."""
    return min((len(literal_of(match).text) for match in matches), default=0)


def _literal(path: PathMatch) -> PathLiteral:
    text = (literal_prefix(path.value) if path.kind == "regex" else path.value).casefold()
    return PathLiteral(text[:MAX_LITERAL], path.kind == "exact" and len(text) <= MAX_LITERAL)
