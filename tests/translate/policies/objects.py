"""Objects of a small cluster, and the scope a policy is translated in."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from wardgate.api import parse_object
from wardgate.api.key_secret import KEY_SECRET_TYPE
from wardgate.problems import ObjectRef
from wardgate.settings import Settings
from wardgate.snapshot import StoredObject
from wardgate.translate.contract import KeyForm, KeySetRequest, Scope
from wardgate.translate.memo import Memo
from wardgate.translate.secrets import DecodedSecret, SecretIndex, decode_secret
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


def scope_of(*secrets: StoredObject, settings: Settings | None = None, memo: Memo | None = None) -> Scope:
    """A translation's scope over some Secrets."""
    chosen, kept = settings or Settings(), Memo() if memo is None else memo
    kept.begin(chosen)
    ordered = sorted(secrets, key=lambda obj: obj.age_key)
    return Scope(settings=chosen, tenancy=Tenancy.of(chosen), secrets=SecretIndex(ordered, kept), memo=kept)
