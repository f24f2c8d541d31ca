"""From attached tables to the routes of each host of each listener.

Root tables under one host are merged as siblings: the greater weight first, then the older. Where two of them have the
very same matcher, the older one's route takes it whatever the weights are, so that nobody can put a route in front of
one that is already there; the younger table gets a WARNING. Within one root the order decides. A matcher that was
widened is the same as another one by accident: it neither takes that one's place nor loses its own, because then the
requests it was meant for would be open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wardgate.ir import RouteMatch
from wardgate.problems import ObjectRef, Reason
from wardgate.translate.findings import Findings
from wardgate.translate.listening.attachment import Attached
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.table_plans import TablePlan, Widening
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class HostPlan:
    """Domains of one listener that have the same routes."""

    listener: str
    gateway: ObjectRef
    domains: tuple[str, ...]
    instances: tuple[RouteInstance, ...]


@dataclass(frozen=True, slots=True)
class RootRoutes:
    """A root table with its routes in their places."""

    table: TablePlan
    instances: tuple[RouteInstance, ...]


def domains_together(attached: Sequence[Attached]) -> dict[tuple[str, ...], tuple[Attached, ...]]:
    """Domains of one listener with the same tables, as one group each."""
    by_domain: dict[str, list[Attached]] = {}
    for one in attached:
        by_domain.setdefault(one.domain, []).append(one)
    groups: dict[tuple[tuple[object, ...], ...], list[str]] = {}
    for domain, tables in by_domain.items():
        tables.sort(key=lambda one: one.table.order)
        groups.setdefault(tuple((one.table.ref, one.allowed) for one in tables), []).append(domain)
    return {tuple(sorted(domains)): tuple(by_domain[domains[0]]) for domains in groups.values()}


def merge_roots(roots: Sequence[RootRoutes], *, tenancy: Tenancy, findings: Findings) -> tuple[RouteInstance, ...]:
    """The routes of several roots under one host, in the order they are tried; what is never reached is left out."""
    claims = _claims(roots, tenancy)
    kept: list[RouteInstance] = []
    closed: set[RouteMatch] = set()
    for position, instance in enumerate(one for root in roots for one in root.instances):
        matches = _matches(instance)
        left = tuple(match for match in matches if claims.get(match, position) == position and match not in closed)
        if instance.widened is not Widening.NONE:
            left = matches
            closed.update(matches)
        if len(left) < len(matches):
            _report(instance, findings, whole=not left)
        if left:
            kept.append(replace(instance, matches=instance.matches and left))
    return tuple(kept)


def _claims(roots: Sequence[RootRoutes], tenancy: Tenancy) -> Mapping[RouteMatch, int]:
    """For each matcher the number of the route that takes it: of the oldest root, there the first."""
    best: dict[RouteMatch, tuple[tuple[int, tuple[str, str, str]], int]] = {}
    position = 0
    for root in roots:
        age = (tenancy.age_rank(root.table.ref.namespace), root.table.stored.age_key)
        for instance in root.instances:
            for match in _matches(instance) if instance.widened is Widening.NONE else ():
                best[match] = min(best.get(match, (age, position)), (age, position))
            position += 1
    return {match: owner for match, (_, owner) in best.items()}


def _matches(instance: RouteInstance) -> tuple[RouteMatch, ...]:
    return instance.matches or (RouteMatch(),)


def _report(instance: RouteInstance, findings: Findings, *, whole: bool) -> None:
    effect = "is never reached" if whole else "is reached by some of its matchers only"
    findings.warning(
        instance.table,
        Reason.CONFLICTED,
        f'Route "{instance.name}" of {instance.table} {effect}: another route under the same host has the same '
        "matchers and comes first. Change or remove one of the two.",
        ("spec", "http", instance.index),
    )
