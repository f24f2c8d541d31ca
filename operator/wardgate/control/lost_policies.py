"""ExtAuthPolicies that went away with their kind: what a new leader knows of them, and who is told.

``translate.policies.lost_policies`` has the rules. The kind may be deleted and restored while no operator runs; nobody
can see that afterwards but by one thing: of all policies that the last leader remembered, none has survived. Then all
of them count as lost. A single policy that its owner deleted meanwhile looks the same, and is told as the others are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.policies.lost_policies import KIND, all_lost, still_lost
from wardgate.translate.reading.last_good import LastGood

_NAMED: Final = 5

_log = logging.getLogger(__name__)


class LostPolicies:
    """Owned by the rounds of one operator."""

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._told: frozenset[ObjectRef] = frozenset()

    @property
    def count(self) -> int:
        """The number of policies that are lost."""
        return len(self._told)

    def meet(self, policies: Iterable[StoredObject]) -> None:
        """Take policies that exist: whatever becomes of them from now on happens before our eyes."""
        self._met.update(policy.uid for policy in policies)

    def recall(self, loaded: LastGood, *, known: LastGood) -> LastGood:
        """Mark what is lost of what another replica remembered. ``known``: what this one knows itself."""
        return all_lost(loaded) if self._none_survived(loaded) else still_lost(loaded, known)

    def tell(self, lost: Iterable[StoredObject]) -> None:
        """Log which policies are lost, whenever others are."""
        refs = frozenset(policy.ref for policy in lost)
        told, self._told = self._told, refs
        if refs == told:
            return
        if not refs:
            _log.info("No ExtAuthPolicy is lost any more.")
            return
        names = [str(ref) for ref in sorted(refs)[:_NAMED]]
        more = f" and {len(refs) - len(names)} more" if len(refs) > len(names) else ""
        _log.warning(
            "Lost with the CRD of their kind: %s%s. The routes that they guarded are closed until each is applied "
            "again; delete it afterwards if it is meant to be gone.",
            ", ".join(names),
            more,
        )

    def _none_survived(self, loaded: LastGood) -> bool:
        remembered = [one.uid for one in loaded.values() if one.ref.kind == KIND and not one.is_lost]
        return bool(remembered) and self._met.isdisjoint(remembered)
