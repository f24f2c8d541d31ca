"""ExtAuthPolicies that went away with their kind, and close what they guarded until their owner has spoken.

Whoever deletes the CRD deletes its objects with it, and a kind that is restored begins empty: for a moment, or until
somebody remembers to apply the policies again, their routes would be open.

Rule 1: a policy that was good when its kind went away is *lost*. It keeps its place among the policies (the oldest
wins) and closes (500) every route that is its own.
Rule 2: it is lost until a policy of its name is there again, whatever that says. To delete that one says that the
policy is meant to be gone, as for any policy.
Rule 3: while the kind is away, lost policies decide nothing: without the kind every route is closed already.

They are remembered among the last good forms, and so over a restart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from wardgate.ir import Refuse
from wardgate.problems import Cause, ObjectRef, Reason
from wardgate.snapshot import ClusterSnapshot, StoredObject
from wardgate.translate.contract import PolicyOutcome
from wardgate.translate.findings import Findings
from wardgate.translate.incremental.memo import identical
from wardgate.translate.reading.last_good import LastGood, ServedObject
from wardgate.translate.routes.instances import RouteInstance

KIND: Final = "ExtAuthPolicy"
POLICY_LOST: Final = Refuse(500, "policy_lost")


def lost_policies(
    snapshot: ClusterSnapshot, last_good: LastGood, *, last: tuple[StoredObject, ...] | None
) -> tuple[StoredObject, ...]:
    """All lost policies, sorted. The ``last`` tuple if it holds the identical objects."""
    there = {stored.ref for stored in snapshot.of(KIND)}
    lapsed = KIND in snapshot.lapsed_kinds
    found = tuple(
        good if good.is_lost else replace(good, is_lost=True)
        for ref, good in last_good.items()
        if ref.kind == KIND and ref not in there and (lapsed or good.is_lost)
    )
    return last if last is not None and identical(last, found) else found


def still_lost(loaded: LastGood, known: LastGood) -> LastGood:
    """Mark, of all that another replica remembered, the policies that this one saw going away with their kind."""
    lost = (one for one in known.values() if one.is_lost and one.ref in loaded)
    return {**loaded, **{one.ref: one for one in lost if loaded[one.ref].uid == one.uid}}


def all_lost(loaded: LastGood) -> LastGood:
    """Mark every policy that another replica remembered: the kind was replaced while nobody looked."""
    return {ref: replace(one, is_lost=True) if ref.kind == KIND else one for ref, one in loaded.items()}


def closing(lost: Iterable[StoredObject]) -> tuple[ServedObject[PolicyOutcome], ...]:
    """Lost policies in the form in which they take part in attaching: each keeps its place and serves nothing."""
    return tuple(ServedObject(stored, None, None) for stored in lost)


def tell_tables(
    owners: Iterable[tuple[int, ObjectRef]],
    lost: Collection[ObjectRef],
    *,
    instances: Sequence[RouteInstance],
    findings: Findings,
) -> None:
    """Tell every RouteTable of its routes that lost policies close. ``owners``: the policies of routes."""
    closed: dict[ObjectRef, dict[ObjectRef, set[int]]] = {}
    for number, owner in owners:
        if owner in lost:
            table, index = instances[number].origin
            closed.setdefault(table, {}).setdefault(owner, set()).add(index)
    for table, by_policy in closed.items():
        for policy, routes in by_policy.items():
            findings.warning(
                table, Reason.REF_NOT_FOUND, message=_told(table, policy, count=len(routes)), cause=Cause(policy)
            )


def _told(table: ObjectRef, policy: ObjectRef, *, count: int) -> str:
    return (
        f"{count} of the routes of {table} {'is' if count == 1 else 'are'} closed (500): {policy} guarded "
        f"{'it' if count == 1 else 'them'}, and went away when the CRD of its kind was deleted. Apply the policy "
        "again; if it is meant to be gone, delete it afterwards."
    )
