"""The use of each key Secret, by the statuses and the selectors of the policies. Pure.

The values of Secrets are never asked for, so a fault is known from the statuses alone: they name the faulty Secrets
that their policies select. No status tells of a Secret that no policy selects; that follows from the selectors. Whether
tenancy is isolated is not known here, so a policy that counts no Secret at all is taken to select none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wardgate.kube.report.reported_objects import ReportedKey, ReportedObject
from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.keys.closed_requests import closed_requests
from wardgate.translate.manifests import at, mapping
from wardgate.translate.tenancy import Tenancy


def with_uses(keys: Iterable[ReportedKey], policies: Sequence[ReportedObject]) -> tuple[ReportedKey, ...]:
    """The keys, with the faults that statuses name and without any use where no policy selects them."""
    faults, selection = _faults(policies), _Selection(policies)
    return tuple(
        replace(key, faults=tuple(sorted(faults.get(key.ref, ()))), unused=not selection.has(key)) for key in keys
    )


def _faults(policies: Iterable[ReportedObject]) -> dict[ObjectRef, set[str]]:
    found: dict[ObjectRef, set[str]] = {}
    for policy in policies:
        for name, reason in mapping(at(policy.status, "keys", "faults")).items():
            found.setdefault(ObjectRef("Secret", *_parts(name)), set()).add(str(reason))
    return found


def _parts(name: str) -> tuple[str, str]:
    namespace, _, rest = name.partition("/")
    return namespace, rest


class _Selection:
    """The selectors of all policies, each under its first label."""

    def __init__(self, policies: Iterable[ReportedObject]) -> None:
        self._refs = set[ObjectRef]()
        self._selectors: dict[tuple[str, str], set[frozenset[tuple[str, str]]]] = {}
        for policy in policies:
            if _may_select(policy):
                self._take(policy)

    def _take(self, policy: ReportedObject) -> None:
        stored = StoredObject(policy.ref, "", 0, policy.generation, "", {"spec": policy.spec})
        for request in closed_requests(stored, Tenancy()):
            self._refs.update(request.refs)
            if request.selector:
                self._selectors.setdefault(request.selector[0], set()).add(frozenset(request.selector))

    def has(self, key: ReportedKey) -> bool:
        """Whether some policy selects the key."""
        labels = key.labels.items()
        return key.ref in self._refs or any(one <= labels for label in labels for one in self._selectors.get(label, ()))


def _may_select(policy: ReportedObject) -> bool:
    """Whether the policy's status does not say that it counts no Secret at all."""
    counts = [policy.count("keys", name) for name in ("usable", "rejected", "duplicate")]
    return not policy.is_judged or None in counts or any(counts)
