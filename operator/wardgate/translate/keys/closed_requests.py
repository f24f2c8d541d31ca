"""The keys that a policy asks for although it is not served.

Its keys open nothing, but their Secrets are labelled correctly, so their authors are not told to label them. The policy
may be too broken for a model, so its selection is read from the manifest; an unreadable part selects nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wardgate.problems import ObjectRef
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeySetRequest
from wardgate.translate.manifests import at, items, mapping
from wardgate.translate.tenancy import Tenancy


def closed_requests(policy: StoredObject, tenancy: Tenancy) -> Iterator[KeySetRequest]:
    """The keys that the ExtAuthPolicy's manifest names, in both fields that may hold them."""
    scope = tenancy.key_scope(policy.ref.namespace)
    for config in items(at(policy.manifest, "spec", "config", "glooAuth", "configs")):
        for storage in (at(config, "apiKeyAuth"), at(config, "apiKeyAuth", "k8sSecretApikeyStorage")):
            yield KeySetRequest(
                selector=_labels(mapping(at(storage, "labelSelector"))),
                refs=tuple(_refs(at(storage, "apiKeySecretRefs"), policy.ref.namespace, tenancy=tenancy)),
                scope=None if scope is None else tuple(sorted(scope)),
            )


def _labels(raw: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """The labels of a selector. One that cannot be read in full could select too much, so it selects nothing."""
    labels = tuple(sorted((key, value) for key, value in raw.items() if isinstance(value, str)))
    return labels if len(labels) == len(raw) else ()


def _refs(raw: object, namespace: str, *, tenancy: Tenancy) -> Iterator[ObjectRef]:
    for entry in items(raw):
        name, there = at(entry, "name"), at(entry, "namespace") or namespace
        if isinstance(name, str) and isinstance(there, str) and tenancy.may_reference(namespace, there):
            yield ObjectRef("Secret", there, name)
