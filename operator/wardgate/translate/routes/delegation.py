"""Expands a root table to its routes: delegation, inherited labels, merged matchers.

Rule 1: a delegated route has its own labels, its table's, and those of every route and table above it.
Rule 2: it matches requests that meet its parents' matchers and its own. If no request can meet both, the route takes
none, and its table is INVALID.
Rule 3: a failed delegation (a missing table, a loop) closes the rest of the delegating route: the tables that can be
reached come first, and requests that none of them takes get 500.
Rule 4: depth and number of routes are bounded for each root, so that a web of delegations cannot stall a translation.
Rule 5: under isolated tenancy each owner has these bounds for itself, and a tenant's labels stay with its own routes.
Problems that follow from a tenant's delegating to the platform are told to the tenant: no tenant makes another's table
INVALID.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from wardgate.ir import Forward, PathMatch, PrefixRewrite, Refuse, RouteAction, RouteMatch
from wardgate.problems import Cause, FieldPath, ObjectRef, Reason
from wardgate.translate.destinations.destination import Destination
from wardgate.translate.destinations.forwarding import Resolved, resolve
from wardgate.translate.destinations.upstreams import Upstreams
from wardgate.translate.findings import Findings
from wardgate.translate.matching.merging import MAX_MATCHES, conflicts_with_all, keeps_within, merged
from wardgate.translate.matching.route_filters import narrowed, permits
from wardgate.translate.plans.table_plans import (
    DelegatePlan,
    ForwardToPlan,
    RoutePlan,
    TablePlan,
    action_name,
)
from wardgate.translate.routes.delegation_context import DelegationContext, OwnerBoundaries
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.routes.owner_precedence import below_one_route, by_precedence, exposed
from wardgate.translate.routes.specificity import by_specificity
from wardgate.translate.routes.table_index import MissedTable, TableIndex
from wardgate.translate.tenancy import Tenancy

MAX_DEPTH: Final = 16
"""Levels of tables."""
MAX_ROUTES: Final = 20_000
"""Routes of one root table under one host of one listener."""

LOOP: Final = Refuse(500, "delegation_loop")
TABLE_MISSING: Final = Refuse(500, "route_table_missing")
TOO_LARGE: Final = Refuse(500, "delegation_too_large")
BEYOND_DELEGATION: Final = Refuse(500, "matcher_beyond_delegation")
REWRITE_UNSUPPORTED: Final = Refuse(500, "path_rewrite_unsupported")


class Delegation:
    """Expands the roots of one translation. Problems go to ``findings``; ``reached`` collects the tables met."""

    def __init__(self, tables: TableIndex, upstreams: Upstreams, *, findings: Findings, tenancy: Tenancy) -> None:
        self._tables = tables
        self._tenants = OwnerBoundaries(tenancy)
        self._upstreams = upstreams
        self._findings = findings
        self._resolved: dict[tuple[ObjectRef, int], Resolved] = {}
        self._left: dict[str, int] = {}
        self.reached: dict[ObjectRef, set[ObjectRef]] = {}
        """Each table met, with the tables that delegate to it."""
        self.gateways: dict[ObjectRef, set[ObjectRef]] = {}
        """Each table met on a listener, with the gateways that serve it."""
        self.dead: list[RouteInstance] = []
        """Routes that take no request, because their matchers and those above exclude each other."""

    def expand(self, root: TablePlan, context: DelegationContext) -> list[RouteInstance]:
        """All routes of a root and of the tables below it, in the order they are tried."""
        self._left = {}
        return self._table(root, self._tenants.root(root, context))

    def _table(self, table: TablePlan, context: DelegationContext) -> list[RouteInstance]:
        # A slice, because a root has no parent.
        self.reached.setdefault(table.ref, set()).update(context.chain[-1:])
        if context.gateway is not None:
            self.gateways.setdefault(table.ref, set()).add(context.gateway)
        here = self._tenants.entered(table, context)
        found = [(route, self._bounded(table, route, context=here)) for route in table.routes]
        for route in exposed(found):
            text = "comes after a delegation to a tenant, whose prefix takes its paths as well; put it before that"
            message = f'Route "{route.name}" of {table.ref} {text}, or end the prefix with a slash.'
            self._findings.warning(table.ref, Reason.UNREACHABLE, message=message, field=_field(route))
        return [instance for _, instances in found for instance in instances]

    def _bounded(self, table: TablePlan, route: RoutePlan, *, context: DelegationContext) -> list[RouteInstance]:
        """A route, closed where a tenant's matchers go beyond the platform's delegation."""
        bounds = context.bounds or (RouteMatch(),)
        here = [one for one in route.matchers if one.port in (None, context.port)]
        if len(bounds) * len(here) > MAX_MATCHES:
            return self._route(table, route, context=context)
        beyond = tuple(
            one
            for one in here
            if not any(keeps_within(one.match, outer) for outer in bounds)
            and not conflicts_with_all(context.matches, one.match)
        )
        if not beyond:
            return self._route(table, route, context=context)
        given = ", ".join(sorted({path.value for outer in bounds for path in outer.paths if path.kind == "prefix"}))
        text = (
            f"has matchers that go beyond what {context.chain[-2]} delegates to it, and is closed there; begin each "
            f"path with {given}, a regex as well, without | and (?i)"
        )
        self._error(table, route, reason=Reason.NOT_ALLOWED, text=text)
        within = tuple(one for one in route.matchers if one not in beyond)
        found = self._route(table, replace(route, matchers=within), context=context) if within else []
        return found + self._route(table, replace(route, matchers=beyond, action=BEYOND_DELEGATION), context=context)

    def _route(self, table: TablePlan, route: RoutePlan, *, context: DelegationContext) -> list[RouteInstance]:
        payer = context.claim.owner
        self._left[payer] = self._left.get(payer, MAX_ROUTES) - 1
        own = tuple(one.match for one in route.matchers if one.port in (None, context.port))
        if route.matchers and not own:
            return []
        if len(own) * len(context.matches) > MAX_MATCHES:
            text = f"comes to more than {MAX_MATCHES} matchers with its parents'"
            self._error(table, route, reason=Reason.TOO_LARGE, text=text, context=context)
            # The route is closed now; one matcher at least has to remain, because none would take every request.
            own = own[: max(1, MAX_MATCHES // len(context.matches))]
            route = replace(route, action=TOO_LARGE)
        if self._conflicts(table, route, own=own, context=context):
            lost = self._tenants.labelled(table, route.labels, context=context)
            self.dead.append(self._instance(table, route, inner=lost, action=BEYOND_DELEGATION))
            return []
        inner = replace(
            self._tenants.labelled(table, route.labels, context=context), matches=merged(context.matches, own)
        )
        if isinstance(route.action, DelegatePlan):
            return self._delegate(table, route, delegate=route.action, inner=inner)
        return self._leaf(table, route, inner=inner)

    def _conflicts(
        self, table: TablePlan, route: RoutePlan, *, own: tuple[RouteMatch, ...], context: DelegationContext
    ) -> bool:
        """Whether none of the route's matchers fits the parents'. Reports that, and also matchers that never match."""
        lost = [conflicts_with_all(context.matches, match) for match in own]
        parent = context.chain[-2] if len(context.chain) > 1 else table.ref
        if own and all(lost):
            text = (
                f"matches nothing that {parent} delegates to it: the matchers of the two exclude each other; correct "
                "one of them"
            )
            self._error(table, route, reason=Reason.UNREACHABLE, text=text, context=context)
            return True
        if any(lost) and context.liable is None:
            self._findings.warning(
                table.ref,
                Reason.UNREACHABLE,
                message=(
                    f'Route "{route.name}" of {table.ref} has matchers that never match, because the matchers of '
                    f"{parent} exclude them; correct or remove them."
                ),
                field=(*_field(route), "matchers"),
            )
        return False

    def _delegate(
        self, table: TablePlan, route: RoutePlan, *, delegate: DelegatePlan, inner: DelegationContext
    ) -> list[RouteInstance]:
        children, missed = self._tables.below(table, delegate)
        here = self._tenants.owner(table)
        owners = {self._tenants.owner(child) for child in children} | {miss.owner for miss in missed}
        closed: Refuse | None = None
        for miss in missed:
            self._missed(table, route, miss=miss)
            closed = TABLE_MISSING if _closes(miss.owner, here, owners=owners) else closed
        if not children and not missed:
            self._nothing_below(table, route)
        if delegate.allowed:
            inner = replace(inner, allowed=(*inner.allowed, delegate.allowed))
        found: list[RouteInstance] = []
        for child in children:
            below = self._tenants.below(table, route, child=child, inner=inner)
            refusal = self._refusal(table, route, child=child, below=below)
            if refusal is None:
                found += self._table(child, below)
            elif _closes(self._tenants.owner(child), here, owners=owners):
                closed = closed or refusal
        found = self._in_order(delegate, found, inner=inner)
        if closed is not None:
            found.append(self._instance(table, route, inner=inner, action=closed))
        return found

    def _in_order(
        self, delegate: DelegatePlan, found: list[RouteInstance], *, inner: DelegationContext
    ) -> list[RouteInstance]:
        """Sort the routes below one route as it asks, but none of a tenant's before another owner's earlier one."""
        if delegate.by_specificity:
            found = by_specificity(found)
        if inner.claim.owner:
            return found
        left = {*inner.matches, RouteMatch(), RouteMatch((SLASH,))} if delegate.by_specificity else set()
        return by_precedence(
            found,
            findings=self._findings,
            rank_of=below_one_route,
            is_fallback=lambda piece: not piece.claim.owner and left.issuperset(piece.matches),
        )

    def _refusal(
        self, table: TablePlan, route: RoutePlan, *, child: TablePlan, below: DelegationContext
    ) -> Refuse | None:
        """The refusal if one more table cannot be entered, else None."""
        if child.ref in below.chain:
            loop = " -> ".join(f"{ref.namespace}/{ref.name}" for ref in (*below.chain, child.ref))
            self._error(
                table,
                route,
                reason=Reason.DELEGATION_LOOP,
                text=f"closes a loop of delegations ({loop})",
                context=below,
            )
            return LOOP
        payer = below.claim.owner
        if len(below.chain) < MAX_DEPTH and self._left.get(payer, MAX_ROUTES) > 0:
            return None
        text = f"leads to more than {MAX_DEPTH} tables below one another, or to more than {MAX_ROUTES} routes"
        if payer == self._tenants.owner(table) or below.liable is not None:
            self._error(table, route, reason=Reason.TOO_LARGE, text=text, context=below)
        else:
            message = f'{child.ref} is left out: with it, route "{route.name}" of {table.ref} {text}.'
            self._findings.error(child.ref, Reason.TOO_LARGE, message=message)
        return TOO_LARGE

    def _missed(self, table: TablePlan, route: RoutePlan, *, miss: MissedTable) -> None:
        """Report a missing table. A tenant that takes its table away does not make the platform's INVALID."""
        if miss.owner and not self._tenants.owner(table):
            message = f'Route "{route.name}" of {table.ref} {miss.text}; it is closed until the tenant has mended that.'
            self._findings.warning(table.ref, miss.reason, message=message, field=_field(route), cause=miss.cause)
        else:
            self._error(table, route, reason=miss.reason, text=miss.text, cause=miss.cause)

    def _nothing_below(self, table: TablePlan, route: RoutePlan) -> None:
        self._findings.warning(
            table.ref,
            Reason.REF_NOT_FOUND,
            message=f'Route "{route.name}" of {table.ref} delegates to no RouteTable; check delegate.routeTables.',
            field=(*_field(route), "delegate"),
        )

    def _leaf(self, table: TablePlan, route: RoutePlan, *, inner: DelegationContext) -> list[RouteInstance]:
        matches = self._allowed(table, route, inner=inner)
        if matches is None:
            return []
        inner = replace(inner, matches=matches)
        action, destinations = self._action(table, route)
        if isinstance(action, Forward) and isinstance(action.path_rewrite, PrefixRewrite):
            inner = replace(inner, matches=_with_paths(inner.matches))
            if any(match.paths[-1].kind == "regex" for match in inner.matches):
                text = "has pathRewrite with a regex matcher; use regexRewrite"
                self._error(table, route, reason=Reason.UNSUPPORTED, text=text, context=inner)
                action = REWRITE_UNSUPPORTED
        return [self._instance(table, route, inner=inner, action=action, destinations=destinations)]

    def _allowed(
        self, table: TablePlan, route: RoutePlan, *, inner: DelegationContext
    ) -> tuple[RouteMatch, ...] | None:
        """The matches that every level's ``allowedRoutes`` permits, None where there are none."""
        matches = inner.matches or (RouteMatch(),)
        action = action_name(route.action)
        if isinstance(route.action, Refuse):
            matches = narrowed(matches, inner.allowed)
        kept = tuple(
            match for match in matches if all(permits(filters, match, action=action) for filters in inner.allowed)
        )
        if len(kept) < len(matches) and inner.liable is None:
            self._findings.warning(
                table.ref,
                Reason.NOT_ALLOWED,
                message=(
                    f'Route "{route.name}" of {table.ref} is left out, in whole or in part, because allowedRoutes '
                    "above it do not permit its matchers."
                ),
                field=(*_field(route), "matchers"),
            )
        return (() if RouteMatch() in kept else kept) if kept else None

    def _action(self, table: TablePlan, route: RoutePlan) -> tuple[RouteAction, tuple[Destination, ...]]:
        assert not isinstance(route.action, DelegatePlan)
        if not isinstance(route.action, ForwardToPlan):
            return route.action, ()
        key = (table.ref, route.index)
        # The same for every way on which the route is reached.
        if key not in self._resolved:
            self._resolved[key] = resolve(route.action, self._upstreams, table=table.ref)
        resolved = self._resolved[key]
        self._findings.extend(resolved.problems)
        return resolved.action, resolved.destinations

    def _instance(
        self,
        table: TablePlan,
        route: RoutePlan,
        *,
        inner: DelegationContext,
        action: RouteAction,
        destinations: tuple[Destination, ...] = (),
    ) -> RouteInstance:
        return RouteInstance(
            table=table.ref,
            index=route.index,
            name=route.name,
            matches=inner.matches,
            action=action,
            labels=inner.labels,
            destinations=destinations,
            weight=table.weight,
            claim=inner.claim,
            widened=route.widened,
        )

    def _error(
        self,
        table: TablePlan,
        route: RoutePlan,
        *,
        reason: Reason,
        text: str,
        context: DelegationContext | None = None,
        cause: Cause | None = None,
    ) -> None:
        """Report an error of a table, or of the tenant whose delegation led to it (``context.liable``)."""
        message = f'Route "{route.name}" of {table.ref} {text}.'
        liable = None if context is None else context.liable
        if liable is None or liable[0] == table.ref:
            self._findings.error(table.ref, reason, message=message, field=_field(route), cause=cause)
        else:
            ref, entry = liable
            text = f'Route "{entry.name}" of {ref} cannot delegate so: below it, {message[0].lower()}{message[1:]}'
            self._findings.error(ref, reason, message=text, field=_field(entry))


SLASH: Final = PathMatch("prefix", "/")


def _field(route: RoutePlan) -> FieldPath:
    return ("spec", "http", route.index)


def _closes(culprit: str, parent: str, *, owners: Collection[str]) -> bool:
    """Whether a child that cannot be entered closes the rest of the route: not if other owners were delegated to as
    well.
    """
    return culprit == parent or len(owners) == 1


def _with_paths(matches: tuple[RouteMatch, ...]) -> tuple[RouteMatch, ...]:
    """Matches with a path condition each, because a prefix rewrite refers to one: every path begins with a slash."""
    return tuple(match if match.paths else replace(match, paths=(SLASH,)) for match in matches or (RouteMatch(),))
