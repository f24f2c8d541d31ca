"""The consequences of a bad object, as the sentences that end its status: the part that is served, and what is closed.

A problem is found before it is known whether a last good form replaces the object, so its own message does not speak of
consequences.
"""

from __future__ import annotations

from collections.abc import Iterator

from wardgate.ir import Refuse
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.statuses.stage_results import StageResults

_POLICIES = ("ExtAuthPolicy", "TransformationPolicy")


def consequences(stored: StoredObject, form: StoredObject | None, *, results: StageResults) -> Iterator[str]:
    """``form``: the version of the object that is served, at least in part; None if nothing of it is."""
    ref = stored.ref
    if form is not None and form.version != stored.version:
        yield f"Its last good form, generation {form.generation}, is served instead."
        if _closes(ref, results):
            yield "Routes that only the bad form selects are closed."
    elif not results.is_invalid(ref):
        return
    elif form is None:
        if ref.kind in _POLICIES and _closes(ref, results):
            yield "The routes that it selects are closed."
    elif ref.kind == "RouteTable":
        yield _of_table(ref, results)
    else:
        yield "The rest is served."


def _closes(policy: ObjectRef, results: StageResults) -> bool:
    """Whether some route is closed because of a policy."""
    auth, transformations = results.attached.auth, results.attached.transformations
    return any(auth.owners.get(number) == policy for number in auth.closed) or any(
        number in transformations.closed for number in transformations.selected.get(policy, ())
    )


def _of_table(table: ObjectRef, results: StageResults) -> str:
    below = _with_descendants(table, results)
    closed = {isinstance(one.action, Refuse) for one in results.routing.instances if one.table in below}
    if False in closed:
        return "Its bad routes are closed; the rest is served."
    return "All its routes are closed." if closed else "None of its routes takes a request."


def _with_descendants(table: ObjectRef, results: StageResults) -> set[ObjectRef]:
    found, waiting = {table}, [table]
    while waiting:
        parent = waiting.pop()
        children = {child for child, parents in results.routing.routed.parents.items() if parent in parents} - found
        found |= children
        waiting += children
    return found
