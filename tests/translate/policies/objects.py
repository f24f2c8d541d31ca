"""Objects of a small cluster, and the scope a policy is translated in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wardgate.api import parse_object
from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.ir import Credential
from wardgate.problems import ObjectRef, Problem
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, KeySetRequest, Scope
from wardgate.translate.incremental.memo import Versions
from wardgate.translate.keys.key_rules import KeyRules
from wardgate.translate.keys.resolution import KeySets, by_name, resolve_keys
from wardgate.translate.secrets.secret_index import NamedSecrets, SecretIndex
from wardgate.translate.secrets.secret_references import DecodedSecret, decode_secret
from wardgate.translate.sight import Sight
from wardgate.translate.tenancy import Tenancy

LABELS = {"team": "a"}
SELECTOR = (("team", "a"),)


def stored(
    manifest: Mapping[str, object], *, kind: str, namespace: str, name: str, created: str = "", version: int = 1
) -> StoredObject:
    """One version of one object."""
    return StoredObject(
        ref=ObjectRef(kind, namespace, name),
        uid=f"{kind}/{namespace}/{name}",
        version=version,
        generation=1,
        created=created,
        manifest=manifest,
    )


def raw_secret(
    name: str = "key",
    *,
    namespace: str = "ns",
    created: str = "",
    version: int = 1,
    metadata: Mapping[str, object] | None = None,
    **fields: object,
) -> StoredObject:
    """A Secret whose fields are written out."""
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, **(metadata or {})},
        **fields,
    }
    return stored(manifest, kind="Secret", namespace=namespace, name=name, created=created, version=version)


def secret(
    name: str,
    data: Mapping[str, str | bytes],
    *,
    namespace: str = "ns",
    type_: str = "Opaque",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    created: str = "",
    version: int = 1,
) -> StoredObject:
    """A Secret whose data are given in clear."""
    return raw_secret(
        name,
        namespace=namespace,
        created=created,
        version=version,
        metadata={"labels": labels or {}, "annotations": annotations or {}},
        type=type_,
        data={entry: encoded(value) for entry, value in data.items()},
    )


def key_secret(
    name: str,
    key: str | bytes = "k",
    *,
    namespace: str = "ns",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    created: str = "",
    version: int = 1,
    **metadata: str | bytes,
) -> StoredObject:
    """A Secret of the key type that ``SELECTOR`` selects; further entries by keyword."""
    return secret(
        name,
        {"api-key": key, **metadata},
        namespace=namespace,
        type_=KEY_SECRET_TYPE,
        labels=LABELS if labels is None else labels,
        annotations=annotations,
        created=created,
        version=version,
    )


def decoded(stored_secret: StoredObject) -> DecodedSecret:
    """A Secret as translation sees it."""
    return decode_secret(stored_secret, parse_object(stored_secret.manifest))


def encoded(value: str | bytes) -> str:
    """As it stands in ``data``."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def sha256(key: str) -> str:
    """The digest of a plain key."""
    return hashlib.sha256(key.encode()).hexdigest()


def request(
    selector: tuple[tuple[str, str], ...] = SELECTOR,
    *,
    refs: tuple[ObjectRef, ...] = (),
    form: KeyForm = KeyForm.PLAIN,
    scope: tuple[str, ...] | None = None,
) -> KeySetRequest:
    """A key set; ``SELECTOR`` unless told otherwise."""
    return KeySetRequest(selector=selector, refs=refs, form=form, scope=scope)


def scope_of(*secrets: StoredObject, settings: Settings | None = None) -> Scope:
    """A translation's scope over some Secrets."""
    chosen = settings or Settings()
    named = NamedSecrets(SecretIndex().after(sorted(secrets, key=lambda obj: obj.age_key)))
    return Scope(settings=chosen, tenancy=Tenancy.of(chosen), secrets=named, versions=Versions())


@dataclass(frozen=True)
class Resolved:
    """What came of key sets, spelled out."""

    keys: KeySets
    credentials: tuple[Credential, ...]
    problems: tuple[Problem, ...]
    by_key_set: Mapping[str, int]
    problems_by_key_set: Mapping[str, tuple[Problem, ...]]


def rules_of(scope: Scope) -> KeyRules:
    """The rules for all keys in a scope."""
    return KeyRules(scope.settings.credential_bytes, scope.tenancy, Sight())


def keys_of(
    requests: Iterable[KeySetRequest],
    scope: Scope,
    *,
    closed: Sequence[KeySetRequest] = (),
    last: Resolved | None = None,
) -> Resolved:
    """The keys of the requested sets over the Secrets of a scope."""
    assert isinstance(scope.secrets, NamedSecrets)
    wanted, rules = by_name(requests), rules_of(scope)
    before = None if last is None else last.keys
    keys = resolve_keys(wanted, scope.secrets.index, rules=rules, closed=closed, last=before)
    return Resolved(
        keys=keys,
        credentials=keys.credentials(wanted),
        problems=keys.problems,
        by_key_set={name: len(keys.of(name).credentials) for name in wanted},
        problems_by_key_set={name: keys.of(name).problems for name in wanted},
    )
