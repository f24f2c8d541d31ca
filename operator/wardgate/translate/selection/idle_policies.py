"""Good policies that select no route of this gateway, and the reason: their labels, or tables without requests.

A label that is nearly one of a served route is named, except to tenants under isolated tenancy: a route has the labels
of the platform's tables above it too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from wardgate.problems import FieldPath, ObjectRef, Reason
from wardgate.translate.findings import Findings
from wardgate.translate.routes.unserved import IdleRoute
from wardgate.translate.selection.near_labels import CarriedLabels, text
from wardgate.translate.selection.policy_selectors import Selectors
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tenancy import Tenancy

_FIELD: FieldPath = ("spec", "applyToRoutes")


class IdlePolicies:
    """Reports the idle policies of one translation. ``routes`` take no request; ``served`` finds those that do."""

    def __init__(
        self,
        routes: Sequence[IdleRoute],
        served: RouteFinder,
        *,
        cluster_name: str | None,
        tenancy: Tenancy,
        findings: Findings,
    ) -> None:
        self._routes = routes
        self._served = served
        self._cluster_name = cluster_name
        self._tenancy = tenancy
        self._findings = findings

    def report(
        self,
        policy: ObjectRef,
        selectors: Selectors,
        *,
        select: Callable[[RouteFinder], set[int]],
        effect: str = "",
    ) -> None:
        """Report one policy. ``select`` applies its selectors; ``effect`` continues the phrase "selects no route"."""
        if meant := select(self._finder):
            self._report_origin(policy, meant)
        else:
            message = f"{policy} selects no route{effect}. {self._remedy(policy, selectors)}"
            self._findings.warning(policy, Reason.NO_ROUTES, message=message, field=_FIELD)

    @cached_property
    def _finder(self) -> RouteFinder:
        return RouteFinder([one.instance for one in self._routes], cluster_name=self._cluster_name)

    @cached_property
    def _carried(self) -> CarriedLabels:
        return CarriedLabels(self._served.labels())

    def _report_origin(self, policy: ObjectRef, meant: set[int]) -> None:
        """Name the first origin that somebody has to mend, if there is one.

        A guard that selects only routes of a mesh is warned all the same: a route of this gateway with a misspelt label
        would be open, and nobody can tell whether there is one.
        """
        origins = [self._routes[number].origin for number in sorted(meant)]
        origin = min(origins, key=lambda one: one.by_design)
        is_guard = policy.kind == "ExtAuthPolicy"
        effect = ", so it guards nothing here" if is_guard else ""
        message = f"{policy} selects only routes that no request reaches, because of {origin.table}{effect}."
        tell = self._findings.note if origin.by_design and not is_guard else self._findings.warning
        tell(policy, Reason.NO_ROUTES, message=message, field=_FIELD, cause=origin.cause)

    def _remedy(self, policy: ObjectRef, selectors: Selectors) -> str:
        if self._tenancy.selectable(policy.namespace) is None:
            guess = self._carried.meant(selectors.labels)
            hint = f"No route has the label {text(guess[0])}; one has {text(guess[1])}. " if guess is not None else ""
            return f"{hint}Check the labels in spec.applyToRoutes."
        return (
            "Under isolated tenancy it selects only routes of RouteTables in its own namespace: check the labels in "
            "spec.applyToRoutes, or have the policy applied in a platform namespace."
        )
