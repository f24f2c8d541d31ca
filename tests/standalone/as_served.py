"""The way of manifests into the operator's store, without an API server and the network.

``as_served`` makes objects as an API server returns them: with identity, version, creation time, managed fields and a
status. ``as_operator`` reads them as the operator does: its own trimming of objects, its own scopes, Secrets by
type and by name alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
from wardgate.api.kinds.provider_token import PROVIDER_TOKEN_TYPE
from wardgate.kube.watch.kind_resources import READ_KINDS
from wardgate.kube.watch.objects import stored_object
from wardgate.kube.watch.sink import StoreSink
from wardgate.problems import ObjectRef
from wardgate.renderer import Rendered, Renderer
from wardgate.settings import Settings
from wardgate.store import Store

Object = dict[str, Any]

_NOW: Final = "2999-12-31T23:59:59Z"
"""When objects are created that bring no time of their own."""
_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


def as_served(manifests: Iterable[Mapping[str, Any]]) -> list[Object]:
    """The last version of every object that the operator reads, as ``kubectl get -o yaml`` shows it.

    They come kind by kind, in an order that means nothing.
    """
    objects: dict[tuple[str, str, str], Object] = {}
    version = 1000
    for manifest in manifests:
        version += 7
        key, made = _served(manifest, version=version)
        objects[key] = made
    by_uid = sorted(objects.values(), key=lambda each: each["metadata"]["uid"])
    return [each for kind in (*READ_KINDS, "Secret") for each in by_uid if each["kind"] == kind]


def _served(manifest: Mapping[str, Any], *, version: int) -> tuple[tuple[str, str, str], Object]:
    made: Object = json.loads(json.dumps(manifest))
    metadata = made["metadata"]
    metadata["namespace"] = metadata.get("namespace") or "default"
    key = (made["kind"], metadata["namespace"], metadata["name"])
    annotations = {**(metadata.get("annotations") or {}), _APPLIED: json.dumps(manifest)}
    made["metadata"] = {
        **metadata,
        "annotations": annotations,
        "uid": f"uid-{sum(map(ord, str(key)))}-{version}",
        "resourceVersion": str(version),
        "generation": 3,
        "creationTimestamp": metadata.get("creationTimestamp") or _NOW,
        "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
    }
    if made["kind"] == "Secret":
        _fold(made)
    else:
        made["status"] = {"common": {"State": {"approval": "ACCEPTED"}}}
    return key, made


def as_operator(served: Sequence[Object], settings: Settings) -> Rendered:
    """The operator's config, once it has read the Secrets that objects name, with no memory of rounds before."""
    store = Store()
    sink = StoreSink(store, on_change=lambda: None, on_rollback=lambda: None)

    def replace(kind: str, objects: Sequence[Object], scope: str) -> None:
        read = [stored_object(kind, each) for each in objects]
        sink.replaced(kind, read, as_of=newest, at_least=-1, scope=scope)

    newest = max((int(each["metadata"]["resourceVersion"]) for each in served), default=0)
    secrets = [each for each in served if each["kind"] == "Secret"]
    for kind in READ_KINDS:
        replace(kind, [each for each in served if each["kind"] == kind], "")
    replace("Secret", [each for each in secrets if each["type"] == KEY_SECRET_TYPE], "keys")
    replace("Secret", [each for each in secrets if each["type"] == PROVIDER_TOKEN_TYPE], "tokens")
    followed: set[ObjectRef] = set()
    while True:
        rendered = Renderer(settings).render(store.freeze())
        named = set(rendered.translation.named_secrets) - followed
        if not named:
            return rendered
        followed |= named
        for ref in sorted(named):
            replace("Secret", [each for each in secrets if _is(each, ref)], f"name:{ref.namespace}/{ref.name}")


def _is(secret: Object, ref: ObjectRef) -> bool:
    return (ref.namespace, ref.name) == (secret["metadata"]["namespace"], secret["metadata"]["name"])


def _fold(secret: Object) -> None:
    plain = secret.pop("stringData", None) or {}
    encoded = {name: base64.b64encode((text or "").encode()).decode() for name, text in plain.items()}
    data = {name: text or "" for name, text in (secret.get("data") or {}).items()}
    secret["data"] = {**data, **encoded}
    secret["type"] = secret.get("type") or "Opaque"
