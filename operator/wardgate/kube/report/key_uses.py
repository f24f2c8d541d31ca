"""The use of each key Secret, by the statuses and the selectors of the policies. Pure.

The values of Secrets are never asked for, so a fault is known from the statuses alone: they name the faulty Secrets
that their policies select. No status tells of a Secret that no policy selects; that follows from the selectors and from
the installation's tenancy. A policy that counts no Secret at all is taken to select none: more than the selectors may
keep it from them, such as ``keyNamespaces``, or an operator that does not tell its tenancy.
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


def with_uses(
    keys: Iterable[ReportedKey], policies: Sequence[ReportedObject], *, tenancy: Tenancy
) -> tuple[ReportedKey, ...]:
    """The keys, with the faults that statuses name and without any use where no policy selects them."""
    faults, selection = _faults(policies), _Selection(policies, tenancy)
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
    """The selectors of all policies, each under its first label, with the namespaces of the policies."""

    def __init__(self, policies: Iterable[ReportedObject], tenancy: Tenancy) -> None:
        self._tenancy = tenancy
        self._refs: dict[ObjectRef, set[str]] = {}
        self._selectors: dict[tuple[str, str], set[tuple[str, frozenset[tuple[str, str]]]]] = {}
        for policy in policies:
            if _may_select(policy):
                self._take(policy)

    def _take(self, policy: ReportedObject) -> None:
        stored = StoredObject(policy.ref, "", 0, policy.generation, "", {"spec": policy.spec})
        namespace = policy.ref.namespace
        for request in closed_requests(stored, self._tenancy):
            for ref in request.refs:
                self._refs.setdefault(ref, set()).add(namespace)
            if request.selector:
                self._selectors.setdefault(request.selector[0], set()).add((namespace, frozenset(request.selector)))

    def has(self, key: ReportedKey) -> bool:
        """Whether some policy selects the key, and may."""
        labels = key.labels.items()
        selecting = {
            namespace for label in labels for namespace, one in self._selectors.get(label, ()) if one <= labels
        }
        return any(self._counts_for(namespace, key) for namespace in selecting | self._refs.get(key.ref, set()))

    def _counts_for(self, policy: str, key: ReportedKey) -> bool:
        """Whether a key counts for the policies of a namespace: a platform's only where it is shared with a tenant."""
        tenant, holder = self._tenancy.owner(policy), key.ref.namespace
        if not self._tenancy.counts_for(policy, holder):
            return False
        return not tenant or tenant == holder or tenant in key.shared_with


def _may_select(policy: ReportedObject) -> bool:
    """Whether the policy's status does not say that it counts no Secret at all."""
    counts = [policy.count("keys", name) for name in ("usable", "rejected", "duplicate")]
    return not policy.is_judged or None in counts or any(counts)
