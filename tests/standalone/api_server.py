"""An API server's part in the way of manifests into the operator's store, without the network.

``ApiServer`` keeps objects as a real one returns them: with identity, version, creation time, managed fields and a
status. ``as_operator`` reads them as the operator does: its own trimming of objects, its own scopes, Secrets by
type and by name alone.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wardgate.api.kinds.key_secret import KEY_SECRET_TYPE
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


class ApiServer:
    """Holds the last version of every object that is applied."""

    def __init__(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        self._objects: dict[tuple[str, str, str], Object] = {}
        self.version = 1000
        for manifest in manifests:
            self._apply(manifest)

    def all_of(self, kind: str) -> list[Object]:
        """All objects of a kind, in an order that means nothing."""
        found = [each for (of_kind, _, _), each in self._objects.items() if of_kind == kind]
        return sorted(found, key=lambda each: each["metadata"]["uid"])

    def export(self) -> list[Object]:
        """Everything as ``kubectl get -o yaml`` shows it."""
        return [each for kind in (*READ_KINDS, "Secret") for each in self.all_of(kind)]

    def _apply(self, manifest: Mapping[str, Any]) -> None:
        made: Object = json.loads(json.dumps(manifest))
        metadata = made["metadata"]
        metadata["namespace"] = metadata.get("namespace") or "default"
        key = (made["kind"], metadata["namespace"], metadata["name"])
        self.version += 7
        annotations = {**(metadata.get("annotations") or {}), _APPLIED: json.dumps(manifest)}
        made["metadata"] = {
            **metadata,
            "annotations": annotations,
            "uid": f"uid-{sum(map(ord, str(key)))}-{self.version}",
            "resourceVersion": str(self.version),
            "generation": 3,
            "creationTimestamp": metadata.get("creationTimestamp") or _NOW,
            "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
        }
        if made["kind"] == "Secret":
            _fold(made)
        else:
            made["status"] = {"common": {"State": {"approval": "ACCEPTED"}}}
        self._objects[key] = made


def as_operator(api_server: ApiServer, settings: Settings) -> Rendered:
    """The operator's config, once it has read the Secrets that objects name, with no memory of rounds before."""
    store = Store()
    sink = StoreSink(store, on_change=lambda: None, on_rollback=lambda: None)

    def replace(kind: str, objects: Sequence[Object], scope: str) -> None:
        read = [stored_object(kind, each) for each in objects]
        sink.replaced(kind, read, as_of=api_server.version, at_least=-1, scope=scope)

    secrets = api_server.all_of("Secret")
    for kind in READ_KINDS:
        replace(kind, api_server.all_of(kind), "")
    replace("Secret", [each for each in secrets if each["type"] == KEY_SECRET_TYPE], "keys")
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
