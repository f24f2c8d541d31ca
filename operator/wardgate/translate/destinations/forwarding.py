"""The destinations of a route resolved to upstreams with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wardgate.ir import Forward, Refuse, RouteAction, WeightedUpstream
from wardgate.problems import ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.translate.destinations.destination import Destination
from wardgate.translate.destinations.upstreams import KIND_LEFT_OUT, DestinationFault, Upstreams
from wardgate.translate.plans.table_plans import DestinationPlan, ForwardToPlan


@dataclass(frozen=True, slots=True)
class Resolved:
    """The result of resolving a ``forwardTo``. ``destinations`` are as policies see them, found or not."""

    action: RouteAction
    destinations: tuple[Destination, ...]
    problems: tuple[Problem, ...] = ()


def resolve(plan: ForwardToPlan, upstreams: Upstreams, *, table: ObjectRef) -> Resolved:
    """Look up every destination; an unusable one closes the route."""
    seen = tuple(dict.fromkeys(upstreams.seen_by_policies(one) for one in plan.destinations))
    problems: list[Problem] = []
    refuse: Refuse | None = None
    targets: list[WeightedUpstream] = []
    weights = shares(plan.destinations)
    for destination, weight in zip(plan.destinations, weights, strict=True):
        found = upstreams.find(destination, table=table)
        if isinstance(found, DestinationFault):
            problems.append(_problem(found, destination, table=table, own=upstreams.have_one_owner(table, destination)))
            refuse = refuse or found.refuse
        else:
            targets.append(WeightedUpstream(found.name, weight))
            if upstreams.may_mean_external(destination):
                problems.append(_doubt(destination, table))
    if refuse is not None:
        return Resolved(refuse, seen, tuple(problems))
    forward = Forward(
        upstreams=tuple(targets),
        path_rewrite=plan.path_rewrite,
        host_rewrite=plan.host_rewrite,
        auto_host_rewrite=plan.auto_host_rewrite,
    )
    return Resolved(forward, seen, tuple(problems))


def _problem(fault: DestinationFault, destination: DestinationPlan, *, table: ObjectRef, own: bool) -> Problem:
    """The problem of an unusable destination. A tenant's broken service does not make the platform's table INVALID."""
    closed = "" if own else "; the route is closed until the tenant has mended that"
    message = f"{format_path(destination.field)} of {table} {fault.text}{closed}."
    kind = ProblemKind.ERROR if own else ProblemKind.WARNING
    return Problem(kind, fault.reason, message, table, destination.field, fault.cause)


def _doubt(destination: DestinationPlan, table: ObjectRef) -> Problem:
    message = f"{format_path(destination.field)} of {table} {KIND_LEFT_OUT}."
    return Problem(ProblemKind.WARNING, Reason.REF_NOT_FOUND, message, table, destination.field)


def shares(destinations: Sequence[DestinationPlan]) -> list[int]:
    """The weight of each destination. Those without one share what the others leave of 100 evenly, at least 1 each.

    The first ones get the remainder of the division, one each.
    """
    given = sum(destination.weight for destination in destinations)
    without = sum(not destination.weight for destination in destinations)
    share, rest = divmod(max(100 - given, 0), without) if without else (0, 0)
    weights = []
    for destination in destinations:
        if destination.weight:
            weights.append(destination.weight)
        else:
            weights.append(max(1, share + (rest > 0)))
            rest -= 1
    return weights
