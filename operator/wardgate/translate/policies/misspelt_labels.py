"""Open routes that an ExtAuthPolicy was likely meant to select: a mistake in a label leaves them unguarded.

A route that nobody guards is open, and most such routes are meant to be. A mistake is likely where a label is nearly
one that a policy selects, and no policy selects it as it is. Names alone are compared, so this is told and decides
nothing. Under isolated tenancy nobody is told the labels and names of another owner's policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wardgate.problems import Cause, ObjectRef, Problem, ProblemKind, Reason
from wardgate.snapshot import StoredObject
from wardgate.translate.policies.auth_attachment import AuthAttachment
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.near_labels import CarriedLabels, Label, text
from wardgate.translate.selection.policy_selectors import read_selectors
from wardgate.translate.tenancy import Tenancy


@dataclass(frozen=True, slots=True)
class _Known:
    """A label that an ExtAuthPolicy selects."""

    label: Label
    policy: ObjectRef


class MisspeltLabels:
    """Finds such routes. ``policies``: all that select routes."""

    def __init__(self, policies: Iterable[StoredObject], *, tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._selected = set[Label]()
        self._guards: dict[Label, list[ObjectRef]] = {}
        self._meant: dict[tuple[Label, str], _Known | None] = {}
        for policy in policies:
            for label in read_selectors(policy.manifest).labels:
                self._selected.add(label)
                if policy.ref.kind == "ExtAuthPolicy":
                    self._guards.setdefault(label, []).append(policy.ref)
        self._guarded = CarriedLabels(self._guards)

    def problems(self, instances: Sequence[RouteInstance], auth: AuthAttachment) -> Iterator[Problem]:
        """A warning for each such route."""
        told = set[tuple[ObjectRef, int]]()
        for number, instance in enumerate(instances):
            if number in auth.owners or number in auth.closed or instance.origin in told:
                continue
            for label in sorted(instance.labels - self._selected):
                known = self._meant_by(label, namespace=instance.table.namespace)
                if known is not None:
                    told.add(instance.origin)
                    yield self._problem(instance, label, known=known, idle=not auth.selected.get(known.policy))
                    break

    def _meant_by(self, label: Label, *, namespace: str) -> _Known | None:
        """The label of a policy that is nearly this one; many routes carry the same labels."""
        asked = (label, namespace if self._tenancy.isolated else "")
        if asked not in self._meant:
            self._meant[asked] = next(self._near(label, namespace), None)
        return self._meant[asked]

    def _near(self, label: Label, namespace: str) -> Iterator[_Known]:
        for other in self._guarded.near(label):
            for policy in self._guards[other]:
                if self._tenancy.selectable(policy.namespace) in (None, namespace):
                    yield _Known(other, policy)

    def _problem(self, instance: RouteInstance, label: Label, *, known: _Known, idle: bool) -> Problem:
        """``idle``: the policy selects no route at all, so the mistake may be its own."""
        owner = self._tenancy.owner(instance.table.namespace)
        other = "the platform selects nearly the same"
        if owner == self._tenancy.owner(known.policy.namespace):
            other = f"{known.policy} selects {text(known.label)}"
        message = (
            f'Route "{instance.name}" of {instance.table} is open: no ExtAuthPolicy selects it. No policy selects its '
            f"label {text(label)}, and {other}. Correct the label, or remove it if the route is meant to be open."
        )
        field = ("spec", "http", instance.index)
        cause = Cause(known.policy, ("spec", "applyToRoutes")) if idle else None
        return Problem(ProblemKind.WARNING, Reason.UNGUARDED, message, instance.table, field, cause)
