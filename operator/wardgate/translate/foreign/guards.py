"""Routes that are closed because somebody guards them with a kind that Wardgate does not implement.

Rule 1: a route that a foreign guard selects is closed (403), unless a valid ExtAuthPolicy guards it in its place.
Rule 2: under isolated tenancy a tenant's guard reaches the tenant's own routes alone, and in the place of a platform's
guard stands only a platform's policy: a tenant could lift it otherwise, with keys of its own.
Rule 3: what is closed for another reason keeps that reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wardgate.api.kinds.foreign_kinds import GUARDS
from wardgate.ir import Refuse
from wardgate.problems import Cause, ObjectRef, Reason
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.findings import Findings
from wardgate.translate.foreign.selected_routes import selected_routes
from wardgate.translate.incremental.memo import identical
from wardgate.translate.policies.auth_attachment import AuthAttachment
from wardgate.translate.reading.last_good import LastGood
from wardgate.translate.routes.instances import RouteInstance
from wardgate.translate.selection.route_finder import RouteFinder
from wardgate.translate.tenancy import Tenancy

FOREIGN_GUARD: Final = Refuse(403, "foreign_guard")


@dataclass(slots=True)
class GuardAttachment:
    """``objects`` are the guards. ``selected``: numbers of routes by guard. ``unmet``: those of them that are open.

    Guards with the same selection share one set: a tenant may have thousands of guards, each for all of its routes.
    """

    objects: tuple[StoredObject, ...] = ()
    selected: dict[ObjectRef, frozenset[int]] = field(default_factory=dict)
    unmet: dict[ObjectRef, frozenset[int]] = field(default_factory=dict)

    @property
    def numbers(self) -> set[int]:
        """All routes that some guard selects and nothing guards."""
        return set().union(*set(self.unmet.values()))


def known_guards(
    snapshot: ClusterSnapshot, last_good: LastGood, *, last: tuple[StoredObject, ...] | None
) -> tuple[StoredObject, ...]:
    """All guards, sorted. Of kinds that nobody could list since the start, those seen before it count as well.

    The ``last`` tuple if it holds the identical objects.
    """
    found = {ref: stored for ref, stored in last_good.items() if ref.kind in snapshot.unlisted_kinds & GUARDS.keys()}
    found.update((stored.ref, stored) for kind in GUARDS for stored in snapshot.of(kind))
    guards = tuple(found[ref] for ref in sorted(found))
    return last if last is not None and identical(last, guards) else guards


def remembered(guard: StoredObject, last_good: LastGood) -> StoredObject:
    """A guard in the form that is kept over a restart: its existence and its selection, without a large ``config``.

    The last form if it is of the same version.
    """
    kept = last_good.get(guard.ref)
    if kept == guard:
        return kept
    spec = guard.manifest.get("spec")
    if isinstance(spec, Mapping):
        spec = {name: value for name, value in spec.items() if str(name).startswith("applyTo")}
    named = {"name": guard.ref.name, "namespace": guard.ref.namespace}
    head = {name: guard.manifest[name] for name in ("apiVersion", "kind") if name in guard.manifest}
    return replace(guard, manifest={**head, "metadata": named, "spec": spec})


def attach_guards(
    guards: tuple[StoredObject, ...], auth: AuthAttachment, *, finder: RouteFinder, tenancy: Tenancy
) -> GuardAttachment:
    """Find the routes that the guards select, and those of them that nothing guards in this gateway."""
    attachment = GuardAttachment(guards)
    known: dict[frozenset[int], frozenset[int]] = {}
    met: dict[str, set[int]] = {}
    for guard in guards:
        namespace = guard.ref.namespace
        within = tenancy.selectable(namespace)
        selected = frozenset(selected_routes(GUARDS[guard.ref.kind], guard.manifest, finder=finder, within=within))
        if namespace not in met:
            met[namespace] = _met(namespace, auth=auth, tenancy=tenancy)
        unmet = selected - met[namespace]
        # Equal selections become one object.
        attachment.selected[guard.ref] = known.setdefault(selected, selected)
        attachment.unmet[guard.ref] = known.setdefault(unmet, unmet)
    return attachment


def close_unmet(attachment: GuardAttachment, auth: AuthAttachment) -> None:
    """Close the routes of rule 1."""
    for number in attachment.numbers:
        auth.closed[number] = FOREIGN_GUARD


def _met(namespace: str, *, auth: AuthAttachment, tenancy: Tenancy) -> set[int]:
    """Routes that are closed, or guarded in the place of a guard of the namespace."""
    guarded = {number for number in auth.plans if tenancy.may_replace(namespace, auth.owners[number].namespace)}
    return guarded | auth.closed.keys()


def who_may_replace(guard: ObjectRef, tenancy: Tenancy) -> str:
    """The end of "an ExtAuthPolicy": whose policies replace a guard; empty if everybody's do."""
    return " in a platform namespace" if tenancy.isolated and tenancy.is_platform(guard.namespace) else ""


def tell_tables(
    attachment: GuardAttachment, instances: Sequence[RouteInstance], *, tenancy: Tenancy, findings: Findings
) -> None:
    """Tell every RouteTable of its routes that are closed for the sake of guards."""
    guards_of: dict[frozenset[int], list[ObjectRef]] = {}
    for guard, numbers in attachment.unmet.items():
        guards_of.setdefault(numbers, []).append(guard)
    closed: dict[ObjectRef, set[int]] = {}
    guards: dict[ObjectRef, set[ObjectRef]] = {}
    for numbers, theirs in guards_of.items():
        origins = {instances[number].origin for number in numbers}
        for table, index in origins:
            closed.setdefault(table, set()).add(index)
        for table in {table for table, _ in origins}:
            guards.setdefault(table, set()).update(theirs)
    for table, routes in closed.items():
        count = len(routes)
        first, more = min(guards[table]), len(guards[table]) - 1
        findings.warning(
            table,
            Reason.UNSUPPORTED,
            message=f"{count} of the routes of {table} {'is' if count == 1 else 'are'} closed (403): {first}"
            f"{f' and {more} more' if more else ''} should guard {'it' if count == 1 else 'them'}, which Wardgate does "
            f"not implement. Write an ExtAuthPolicy{who_may_replace(first, tenancy)} instead, or open such routes with "
            "--foreign-guards ignore.",
            cause=Cause(first),
        )
