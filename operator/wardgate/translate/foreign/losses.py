"""What is lost of foreign objects, told once each: the routes that they select, and what does not happen there.

Kinds that select no routes are told once a kind, whatever their number. Those of which nothing is lost at a gateway, or
only what another kind tells (the configuration of rate limits), are not told at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from wardgate.api.foreign_kinds import FOREIGN_KINDS, ForeignKind, Reach
from wardgate.problems import Problem, ProblemKind, Reason
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.foreign.guards import GuardAttachment
from wardgate.translate.foreign.selection import selected_routes
from wardgate.translate.policies.selection import RouteFinder
from wardgate.translate.policies.selectors import read_selectors
from wardgate.translate.routes.instances import RouteInstance
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

    def problems(self, snapshot: ClusterSnapshot) -> Iterator[Problem]:
        """One for each object that selects routes, one for each other kind that is missed."""
        for name, kind in FOREIGN_KINDS.items():
            objects = sorted(snapshot.of(name), key=lambda one: one.ref)
            if objects and kind.reach is not Reach.NONE:
                yield from (self._of_selecting(one, kind) for one in objects)
            elif kind.loss and len(objects) >= kind.told_from:
                yield _of_kind(objects, kind)

    def _of_selecting(self, stored: StoredObject, kind: ForeignKind) -> Problem:
        numbers = self._selected(stored, kind)
        unmet = self.guards.unmet.get(stored.ref, ())
        message = (
            f"{stored.ref} {_what_it_does(kind, self._routes(numbers))}: {kind.loss}."
            f"{self._what_became(self._routes(unmet), of=self._routes(numbers))}"
            f"{_UNREADABLE if read_selectors(stored.manifest).unreadable else ''}"
        )
        field = "applyToRoutes" if kind.reach is Reach.ROUTES else "applyToDestinations"
        return Problem(ProblemKind.WARNING, Reason.UNSUPPORTED, message, stored.ref, ("spec", field))

    def _selected(self, stored: StoredObject, kind: ForeignKind) -> Collection[int]:
        if kind.guards:
            return self.guards.selected[stored.ref]
        within = self.tenancy.selectable(stored.ref.namespace)
        return selected_routes(kind, stored.manifest, self.finder, within=within)

    def _routes(self, numbers: Collection[int]) -> int:
        """A route counts once, however many hosts and parents it is reached through."""
        return len({self.instances[number].origin for number in numbers})

    def _what_became(self, unmet: int, *, of: int) -> str:
        if not unmet:
            return ""
        who = "It" if of == 1 else "They" if unmet == of else f"{unmet} of them"
        be = "is" if unmet == 1 else "are"
        it = "it" if unmet == 1 else "them"
        if not self.closes:
            return f" {who} {be} open, because foreign guards are ignored."
        return (
            f" {who} {be} closed (403), because no valid ExtAuthPolicy guards {it} instead. Write one, or open {it} "
            "with --foreign-guards ignore."
        )


def _what_it_does(kind: ForeignKind, routes: int) -> str:
    if not routes:
        return f"selects no route, and would {kind.verb} none"
    if routes == 1:
        return f"selects 1 route and does not {kind.verb} it"
    return f"selects {routes} routes and {kind.verb}s none of them"


def _of_kind(objects: Sequence[StoredObject], kind: ForeignKind) -> Problem:
    first, more = objects[0].ref, len(objects) - 1
    who = f"{first} has" if not more else f"{first} and {more} more of the kind have"
    return Problem(ProblemKind.WARNING, Reason.UNSUPPORTED, f"{who} no effect: {kind.loss}.", first)
