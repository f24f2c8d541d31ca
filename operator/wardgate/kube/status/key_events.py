"""Events about key Secrets, which have no status: told when a fault comes, becomes another one, or is mended.

What was told is remembered by the leader alone and in memory, so a new leader tells the faults again. Of many new ones
the first few are told: policies' statuses and ``wardgate check`` have them all, and Events of policies must not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from wardgate.kube.status.events import StatusEvent, shortened
from wardgate.problems import ObjectRef
from wardgate.translate.statuses.object_status import ObjectStatus

AT_ONCE: Final = 50
"""Secrets that are told of after one round."""


class KeyEvents:
    """Owned by one event loop. ``add`` takes an Event; ``namespaces``: those where one may stand, empty: all."""

    def __init__(self, add: Callable[[StatusEvent], None], *, namespaces: frozenset[str]) -> None:
        self._add = add
        self._namespaces = namespaces
        self._told: dict[ObjectRef, ObjectStatus] = {}

    def take(self, verdicts: Iterable[ObjectStatus], *, exists: Callable[[ObjectRef], bool]) -> None:
        """Tell what is new in the verdicts on all faulty Secrets."""
        found = {one.ref: one for one in verdicts if not self._namespaces or one.ref.namespace in self._namespaces}
        for ref in sorted(self._told.keys() - found.keys()):
            before = self._told.pop(ref)
            if exists(ref):
                note = f"{before.reason} is resolved. {ref} is accepted."
                self._add(StatusEvent(ref, before.uid, "Normal", "Accepted", note))
        new = [one for ref, one in found.items() if not self._is_told(one)]
        for one in new[:AT_ONCE]:
            self._told[one.ref] = one
            self._add(StatusEvent(one.ref, one.uid, "Warning", one.reason, shortened(one.message)))

    def _is_told(self, verdict: ObjectStatus) -> bool:
        told = self._told.get(verdict.ref)
        return told is not None and (told.uid, told.reason) == (verdict.uid, verdict.reason)
