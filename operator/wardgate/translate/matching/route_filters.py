"""``allowedRoutes`` of gateways and of delegating routes: reading them, and the routes they permit."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.api.kinds.http_route import AllowedRoute
from wardgate.ir import RouteMatch
from wardgate.problems import FieldPath
from wardgate.translate.matching.matcher_reader import MatcherReader
from wardgate.translate.matching.merging import MAX_MATCHES, conflicts_with_all, lies_within, merged
from wardgate.translate.plans.table_plans import RouteFilter


def read_filters(
    allowed: Sequence[AllowedRoute], matchers: MatcherReader, *, field: FieldPath
) -> tuple[RouteFilter, ...]:
    """All entries; problems of their matchers are reported through ``matchers``."""
    return tuple(
        RouteFilter(
            matches=tuple(plan.match for plan in matchers.read(one.matchers, (*field, index, "matchers"))),
            actions=frozenset(name.lower().replace("_", "") for name in one.allowed_actions),
        )
        for index, one in enumerate(allowed)
    )


def permits(filters: tuple[RouteFilter, ...], match: RouteMatch, *, action: str | None) -> bool:
    """Whether a route with that matcher and that action (see ``action_name``) may stand below."""
    return any(
        (not one.matches or any(lies_within(match, outer) for outer in one.matches))
        and (not one.actions or action is None or action in one.actions)
        for one in filters
    )


def narrowed(matches: tuple[RouteMatch, ...], allowed: tuple[tuple[RouteFilter, ...], ...]) -> tuple[RouteMatch, ...]:
    """The part of a closed route within ``allowedRoutes``: a widened route must not get lost for being wide."""
    for filters in allowed:
        outer = tuple(match for one in filters for match in one.matches)
        if all(one.matches for one in filters):
            wide = [one for one in matches if not any(lies_within(one, outside) for outside in outer)]
            cut = tuple(one for one in wide if not conflicts_with_all(outer, one))
            kept = tuple(one for one in matches if one not in cut)
            matches = (*kept, *(merged(outer, cut) if cut else ()))
    return matches[:MAX_MATCHES]
