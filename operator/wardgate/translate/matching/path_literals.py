"""The literal text of a matcher's path: all that is known of two paths without running a regex.

Every path that a matcher takes begins with its literal. Two matchers can meet only where the literal of one begins the
other's; an exact path meets nothing below it. Letters are compared in one case throughout: that may find a meeting
where there is none, never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from wardgate.ir import PathMatch, RouteMatch
from wardgate.translate.matching.literal_prefix import literal_prefix

MAX_LITERAL: Final = 256
"""Characters that are compared."""


class PathLiteral(NamedTuple):
    """``exact``: nothing longer is taken."""

    text: str
    exact: bool


def literal_of(match: RouteMatch) -> PathLiteral:
    """The longest literal of a matcher's path conditions, all of which hold."""
    found = [_literal(path) for path in match.paths]
    return max(found, key=lambda one: (one.exact, len(one.text)), default=PathLiteral("", exact=False))


def given_length(matches: Sequence[RouteMatch]) -> int:
    """How much of the path is fixed by matchers of which one will do."""
    return min((len(literal_of(match).text) for match in matches), default=0)


def _literal(path: PathMatch) -> PathLiteral:
    text = (literal_prefix(path.value) if path.kind == "regex" else path.value).casefold()
    return PathLiteral(text[:MAX_LITERAL], path.kind == "exact" and len(text) <= MAX_LITERAL)
