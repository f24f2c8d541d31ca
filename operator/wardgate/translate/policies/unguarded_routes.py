"""RouteTables whose routes are closed because an ExtAuthPolicy is demanded and none guards them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wardgate.api.kinds.annotations import REQUIRE_AUTH
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason
from wardgate.translate.policies.auth_attachment import AUTH_REQUIRED, AuthAttachment
from wardgate.translate.routes.instances import RouteInstance


def closed_for_want_of_policy(
    instances: Sequence[RouteInstance], auth: AuthAttachment, *, knows_policies: bool
) -> Iterator[Problem]:
    """A warning for each table with routes that are closed because no policy selects them.

    ``knows_policies``: the cluster has the kind ExtAuthPolicy.
    """
    tables: dict[ObjectRef, dict[int, RouteInstance]] = {}
    for number, refusal in auth.closed.items():
        if refusal == AUTH_REQUIRED:
            tables.setdefault(instances[number].table, {})[instances[number].index] = instances[number]
    for table, routes in tables.items():
        first = routes[min(routes)]
        if not knows_policies:
            demand = "and the cluster has no CRD of that kind. Install it."
        elif all(one.requires_auth for one in routes.values()):
            demand = f"which the label {REQUIRE_AUTH} demands. Have a policy select the route."
        else:
            demand = "which this installation demands (requireAuth). Have a policy select the labels of the route."
        message = (
            f"{_routes(first, table, more=len(routes) - 1)} closed (401) for want of a valid ExtAuthPolicy, {demand}"
        )
        yield Problem(ProblemKind.WARNING, Reason.UNGUARDED, message, table, ("spec", "http", first.index))


def _routes(first: RouteInstance, table: ObjectRef, *, more: int) -> str:
    return f'Route "{first.name}" of {table}{f" and {more} more are" if more else " is"}'
