"""Merges the tables that are attached to a listener into the routes of each of its hosts.

Root tables under one host are merged as siblings: the greater weight first, then the older. If two of them have the
same matcher, the older one's route takes it whatever the weights are, so that nobody can put a route in front of an
existing one; the younger table gets a WARNING. Within one root the order decides. A widened matcher equals another one
by accident: it neither takes that one's requests nor loses its own, because then the requests it was meant for would be
open.

Under isolated tenancy a host, like a path, stays with the owner it was given to first (``owner_precedence``): the owner
of ``*.example.com`` also goes first under a tenant's later ``api.example.com``, unless the platform gave that tenant
the narrower name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wardgate.ir import RouteMatch
from wardgate.problems import ObjectRef, Reason
from wardgate.translate.findings import Findings
from wardgate.translate.listening.table_attachment import AttachedTable
from wardgate.translate.matching.host_names import wider
from wardgate.translate.plans.table_plans import TablePlan, Widening
from wardgate.translate.routes.delegation_context import PLATFORM, Claim
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.owner_precedence import Precedence, by_precedence, precedence
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
    """A root table with its expanded routes. ``claim``: the owner of the host by this table."""

    table: TablePlan
    instances: tuple[RouteInstance, ...]
    claim: Claim = PLATFORM


def with_seniors(attached: Sequence[AttachedTable], guests: Guests, *, tenancy: Tenancy) -> list[AttachedTable]:
    """The attached tables, each also under narrower domains that another owner took later."""
    if not tenancy.isolated:
        return list(attached)
    by_domain = _by_domain(attached)
    found: list[AttachedTable] = []
    for domain, tables in by_domain.items():
        wide = [one for pattern in wider(domain) for one in by_domain.get(pattern, ())]
        kept = [
            one
            for one in tables
            if not any(_goes_before(senior, one, tenancy=tenancy) for senior in wide)
            or guests.admit(one, tenancy.owner(one.table.ref.namespace))
        ]
        found += kept
        seniors = (one for one in wide if any(_goes_before(one, each, tenancy=tenancy) for each in kept))
        found += [replace(one, domain=domain) for one in seniors]
    return found


class Guests:
    """Tables under hosts of other owners, on one listener. Each such host repeats the host owner's routes."""

    def __init__(self, limit: int, findings: Findings) -> None:
        self._limit = limit
        self._findings = findings
        self._known: dict[str, set[ObjectRef]] = {}

    def admit(self, one: AttachedTable, owner: str) -> bool:
        """Whether one more table is within its owner's bound; reports a refusal."""
        ref, known = one.table.ref, self._known.setdefault(owner, set())
        if ref in known or len(known) < self._limit:
            known.add(ref)
            return True
        message = (
            f"{ref} is left out for {one.domain}: {self._limit} tables of its namespace stand under hosts of other "
            "owners already. Ask for an entry of your own host in the gateway's allowedRouteTables."
        )
        self._findings.error(ref, Reason.TOO_LARGE, message=message, field=("spec", "hosts"))
        return False


def _goes_before(senior: AttachedTable, one: AttachedTable, *, tenancy: Tenancy) -> bool:
    first, second = root_claim(senior, tenancy), root_claim(one, tenancy)
    return first.owner != second.owner and precedence(first) < precedence(second)


def root_claim(one: AttachedTable, tenancy: Tenancy) -> Claim:
    """The owner of a host by a root table, and the time since when."""
    return Claim(tenancy.owner(one.table.ref.namespace), one.given, one.table.stored.age_key)


def domains_together(
    attached: Sequence[AttachedTable], tenancy: Tenancy
) -> dict[tuple[str, ...], tuple[AttachedTable, ...]]:
    """Groups of domains of one listener that have the same tables in the same order of precedence."""
    by_domain = _by_domain(attached)
    groups: dict[object, list[str]] = {}
    for domain, tables in by_domain.items():
        tables.sort(key=lambda one: one.table.order)
        by_age = sorted(tables, key=lambda one: precedence(root_claim(one, tenancy))) if tenancy.isolated else ()
        same = (tuple((one.table.ref, one.allowed) for one in tables), tuple(one.table.ref for one in by_age))
        groups.setdefault(same, []).append(domain)
    return {tuple(sorted(domains)): tuple(by_domain[domains[0]]) for domains in groups.values()}


def _by_domain(attached: Sequence[AttachedTable]) -> dict[str, list[AttachedTable]]:
    found: dict[str, list[AttachedTable]] = {}
    for one in attached:
        found.setdefault(one.domain, []).append(one)
    return found


def merge_roots(roots: Sequence[RootRoutes], *, tenancy: Tenancy, findings: Findings) -> tuple[RouteInstance, ...]:
    """The routes of several roots under one host, in the order they are tried, without unreachable ones."""
    instances = [replace(one, claim=_claim(root, one)) for root in roots for one in root.instances]
    if tenancy.isolated:
        instances = by_precedence(instances, findings=findings)
    claims = _claims(instances)
    kept: list[RouteInstance] = []
    closed: set[RouteMatch] = set()
    for position, instance in enumerate(instances):
        matches = _matches(instance)
        left = tuple(match for match in matches if claims.get(match, position) == position and match not in closed)
        if instance.widened is not Widening.NONE:
            # It closes the requests that it may have meant, whoever else has the matcher.
            left = matches
            closed.update(matches)
        if len(left) < len(matches):
            _report(instance, findings, whole=not left)
        if left:
            # A route that takes every request keeps its empty tuple.
            kept.append(replace(instance, matches=instance.matches and left))
    return tuple(kept)


def _claim(root: RootRoutes, instance: RouteInstance) -> Claim:
    """The owner of a route under this host. A tenant's younger table does not have the age of its root."""
    if not root.claim.owner:
        return root.claim
    return replace(root.claim, age=max(root.claim.age, instance.claim.age))


def _claims(instances: Sequence[RouteInstance]) -> Mapping[RouteMatch, int]:
    """The number of the route that takes each matcher: of the oldest root, there the first."""
    best: dict[RouteMatch, tuple[Precedence, int]] = {}
    for position, instance in enumerate(instances):
        age = precedence(instance.claim)
        for match in _matches(instance) if instance.widened is Widening.NONE else ():
            best[match] = min(best.get(match, (age, position)), (age, position))
    return {match: owner for match, (_, owner) in best.items()}


def _matches(instance: RouteInstance) -> tuple[RouteMatch, ...]:
    return instance.matches or (RouteMatch(),)


def _report(instance: RouteInstance, findings: Findings, *, whole: bool) -> None:
    effect, remedy = "is never reached", "Change its matchers, or remove this route."
    if not whole:
        effect, remedy = "is reached by some of its matchers only", "Change or remove the others."
    findings.warning(
        instance.table,
        Reason.UNREACHABLE,
        message=f'Route "{instance.name}" of {instance.table} {effect}: another route under the same host has the same '
        f"matchers and comes first. {remedy}",
        field=("spec", "http", instance.index),
    )
