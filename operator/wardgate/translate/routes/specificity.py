"""The order in which sibling routes are tried where a delegating route asks for ``ROUTE_SPECIFICITY``.

Exact paths go before regexes, regexes before prefixes, then the longer before the shorter. Ties go by the weight of the
table, then by the incoming order. A route that is closed because its path could not be read may have meant any of these
requests: it goes before all regexes. A route with several matchers is taken apart, because one of them may be more
specific than a sibling and another less; neighbours that belong together are put together again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from wardgate.ir import RouteMatch
from wardgate.translate.plans.table_plans import Widening
from wardgate.translate.routes.instances import RouteInstance

_KINDS: Final = {"exact": 0, "regex": 1, "prefix": 2}
_NO_PATH: Final = (3, 0.0)
_UNKNOWN_PATH: Final = (1, -math.inf)


def by_specificity(instances: Sequence[RouteInstance]) -> list[RouteInstance]:
    """The routes, the most specific first."""
    pieces = [piece for instance in instances for piece in taken_apart(instance)]
    pieces.sort(key=_rank)
    return put_together(pieces)


def put_together(pieces: Sequence[RouteInstance]) -> list[RouteInstance]:
    """Neighbouring pieces of one route as one route again."""
    together: list[RouteInstance] = []
    for piece in pieces:
        if together and replace(together[-1], matches=piece.matches) == piece:
            together[-1] = replace(piece, matches=(*together[-1].matches, *piece.matches))
        else:
            together.append(piece)
    return together


def taken_apart(instance: RouteInstance) -> list[RouteInstance]:
    """One piece for each matcher of a route."""
    if len(instance.matches) < 2:
        return [instance]
    return [replace(instance, matches=(match,)) for match in instance.matches]


def _rank(piece: RouteInstance) -> tuple[int, float, int]:
    kind, length = _path_rank(piece.matches[0]) if piece.matches else _NO_PATH
    if piece.widened is Widening.PATH:
        kind, length = min((kind, length), _UNKNOWN_PATH)
    return (kind, length, -piece.weight)


def _path_rank(match: RouteMatch) -> tuple[int, float]:
    if not match.paths:
        return _NO_PATH
    return min((_KINDS[path.kind], -len(path.value)) for path in match.paths)
