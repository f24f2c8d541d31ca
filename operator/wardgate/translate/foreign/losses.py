"""Reports effects that are lost because the kinds of foreign objects are not implemented.

Objects that select routes are reported one by one. All others with the same lost effect have one cause, so that a
report tells them once, whatever their number and their kinds. Kinds that lose nothing at a gateway, or only an effect
that another kind reports (the configuration of rate limits), are not reported at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from wardgate.api.kinds.foreign_kinds import FOREIGN_KINDS, ForeignKind, Reach
from wardgate.problems import Cause, Problem, ProblemKind, Reason
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.foreign.guards import GuardAttachment, who_may_replace
from wardgate.translate.foreign.selected_routes import selected_routes
from wardgate.translate.manifests import at
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.policy_selectors import read_selectors
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tenancy import Tenancy

_UNREADABLE = " Its selectors cannot be read in part, and nobody can tell which routes they mean. Correct them."


@dataclass(frozen=True, slots=True)
class Losses:
    """Finds the problems of one translation. ``closes``: routes are closed for the sake of guards."""

    finder: RouteFinder
    instances: Sequence[RouteInstance]
    guards: GuardAttachment
    tenancy: Tenancy
    closes: bool
    _counted: dict[frozenset[int], int] = field(default_factory=dict)

    def problems(self, snapshot: ClusterSnapshot) -> Iterator[Problem]:
        """One problem for each object whose effect is lost."""
        for name, kind in FOREIGN_KINDS.items():
            objects = sorted(snapshot.of(name), key=lambda one: one.ref)
            if objects and kind.reach is not Reach.NONE:
                yield from (self._of_selecting(one, kind) for one in objects)
            elif kind.loss and len(objects) >= kind.told_from:
                yield from (_without_effect(one, kind) for one in objects)

    def _of_selecting(self, stored: StoredObject, kind: ForeignKind) -> Problem:
        numbers = self._selected(stored, kind)
        unmet = self.guards.unmet.get(stored.ref, frozenset())
        message = (
            f"{stored.ref} {self._what_it_does(stored, kind, routes=self._routes(numbers))}: {kind.loss}."
            f"{self._what_became(stored, self._routes(unmet), of=self._routes(numbers))}"
            f"{_UNREADABLE if read_selectors(stored.manifest).unreadable else ''}"
        )
        cause = None if numbers else Cause(kind.loss)
        return Problem(
            ProblemKind.WARNING, Reason.UNSUPPORTED, message, stored.ref, ("spec", _selector(stored, kind)), cause
        )

    def _what_it_does(self, stored: StoredObject, kind: ForeignKind, *, routes: int) -> str:
        if not routes:
            return f"selects no route that is served, and would {kind.verb} none"
        # A guard counts labels as met that nobody knows here, those of Services.
        within = self.tenancy.selectable(stored.ref.namespace)
        sure = frozenset(
            selected_routes(replace(kind, guards=False), stored.manifest, finder=self.finder, within=within)
        )
        selects = "selects" if self._routes(sure) == routes else "selects up to"
        if routes == 1:
            return f"{selects} 1 route and does not {kind.verb} it"
        return f"{selects} {routes} routes and {kind.verb}s none of them"

    def _selected(self, stored: StoredObject, kind: ForeignKind) -> frozenset[int]:
        if kind.guards:
            return self.guards.selected[stored.ref]
        within = self.tenancy.selectable(stored.ref.namespace)
        return frozenset(selected_routes(kind, stored.manifest, finder=self.finder, within=within))

    def _routes(self, numbers: frozenset[int]) -> int:
        """The number of routes. A route counts once, however many hosts and parents it is reached through."""
        if numbers not in self._counted:
            self._counted[numbers] = len({self.instances[number].origin for number in numbers})
        return self._counted[numbers]

    def _what_became(self, stored: StoredObject, unmet: int, *, of: int) -> str:
        if not unmet:
            return ""
        who = "It" if of == 1 else "They" if unmet == of else f"{unmet} of them"
        be = "is" if unmet == 1 else "are"
        it = "it" if unmet == 1 else "them"
        if not self.closes:
            return f" {who} {be} open, because foreign guards are ignored."
        where = who_may_replace(stored.ref, self.tenancy)
        return (
            f" {who} {be} closed (403), because no valid ExtAuthPolicy{where} guards {it} instead. Write one, or open "
            "all routes that only such kinds guard with --foreign-guards ignore."
        )


def _selector(stored: StoredObject, kind: ForeignKind) -> str:
    """The field with the object's selectors."""
    if kind.reach is Reach.ROUTES:
        return "applyToRoutes"
    return "applyToWorkloads" if at(stored.manifest, "spec", "applyToWorkloads") else "applyToDestinations"


def _without_effect(stored: StoredObject, kind: ForeignKind) -> Problem:
    message = f"{stored.ref} has no effect: {kind.loss}."
    return Problem(ProblemKind.WARNING, Reason.UNSUPPORTED, message, stored.ref, cause=Cause(kind.loss))
