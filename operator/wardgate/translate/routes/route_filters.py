"""Reading ``allowedRoutes``, of gateways and of delegating routes alike."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.api.http_route import AllowedRoute
from wardgate.problems import FieldPath
from wardgate.translate.routes.matchers import MatcherReader
from wardgate.translate.routes.table_plans import RouteFilter


def read_filters(allowed: Sequence[AllowedRoute], matchers: MatcherReader, field: FieldPath) -> tuple[RouteFilter, ...]:
    """All entries; what is wrong with their matchers is reported through ``matchers``."""
    return tuple(
        RouteFilter(
            matches=tuple(plan.match for plan in matchers.read(one.matchers, (*field, index, "matchers"))),
            actions=frozenset(name.lower().replace("_", "") for name in one.allowed_actions),
        )
        for index, one in enumerate(allowed)
    )
