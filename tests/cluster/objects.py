"""What one identity can do with the objects of an API server: apply, create, get, list, patch, delete.

Kinds are named as people name them: ``Secret``, ``extauthpolicies``, or with the group where two share a name,
``events.events.k8s.io``. What exists is discovered; a kind that came later is found by looking again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.cluster.http_api import HttpApi

Object: TypeAlias = dict[str, Any]
Manifests: TypeAlias = str | Path | Mapping[str, Any] | Iterable[Mapping[str, Any]]

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PATCHES = {"merge": "application/merge-patch+json", "json": "application/json-patch+json"}
APPLY = "application/apply-patch+yaml"
FIELD_MANAGER = "tests"


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind in one version, as the API server serves it."""

    group: str
    version: str
    plural: str
    kind: str
    is_namespaced: bool

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """Give the path of the collection, or of one object or its subresource."""
        parts = ["apis", self.group, self.version] if self.group else ["api", self.version]
        if namespace is not None and self.is_namespaced:
            parts += ["namespaces", namespace]
        parts += [self.plural, *(part for part in (name, subresource) if part)]
        return "/" + "/".join(parts)

    def names(self) -> set[str]:
        """Give what it may be called, in lower case."""
        short = {self.kind.lower(), self.plural}
        return short | {f"{name}.{self.group}" for name in short}


class Catalog:
    """The kinds that an API server serves, as the admin discovers them: no other identity asks for them."""

    def __init__(self, admin: HttpApi) -> None:
        self._admin = admin
        self._resources: list[Resource] = []

    def find(self, kind: str, group: str | None = None) -> Resource:
        """Find a kind by one of its names; raise ``LookupError`` if it is not there, not even by now."""
        for attempt in range(2):
            if attempt or not self._resources:
                self._resources = _discover(self._admin)
            for resource in self._resources:
                if kind.lower() in resource.names() and group in {None, resource.group}:
                    return resource
        raise LookupError(f"The API server serves no {kind}{f' in {group}' if group else ''}.")


class Objects:
    """The objects of one API server, in one identity."""

    def __init__(self, http: HttpApi, catalog: Catalog) -> None:
        self.http = http
        self.catalog = catalog

    def apply(self, manifests: Manifests, *, namespace: str | None = None) -> list[Object]:
        """Apply server-side, taking over all fields. ``namespace`` is for those that name none."""
        return [self._apply(manifest, namespace) for manifest in read_manifests(manifests)]

    def create(self, manifest: Mapping[str, Any], *, namespace: str | None = None) -> Object:
        """Create one object."""
        resource, namespace = self._placed(manifest, namespace)
        return self._object("POST", resource.path(namespace), body=manifest)

    def replace(self, manifest: Mapping[str, Any], *, subresource: str | None = None) -> Object:
        """Replace one object, with its ``resourceVersion`` as precondition if it has one."""
        resource, namespace = self._placed(manifest, None)
        path = resource.path(namespace, manifest["metadata"]["name"], subresource=subresource)
        return self._object("PUT", path, body=manifest)

    def patch(
        self,
        kind: str,
        name: str,
        body: object,
        *,
        namespace: str | None = None,
        strategy: str = "merge",
        subresource: str | None = None,
    ) -> Object:
        """Patch one object; ``strategy`` is ``merge`` or ``json``."""
        path = self.resource(kind).path(namespace, name, subresource=subresource)
        return self._object("PATCH", path, body=body, content_type=PATCHES[strategy])

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Object:
        """Get one object."""
        return self._object("GET", self.resource(kind).path(namespace, name))

    def list(self, kind: str, *, namespace: str | None = None, labels: str | None = None) -> list[Object]:
        """List a namespace's objects, or everybody's; ``labels`` is a selector."""
        query = {"labelSelector": labels} if labels else None
        return list(self.http.request("GET", self.resource(kind).path(namespace), query=query)["items"])

    def delete(self, kind: str, name: str, *, namespace: str | None = None) -> None:
        """Delete one object."""
        self.http.request("DELETE", self.resource(kind).path(namespace, name))

    def delete_all(self, kind: str, *, namespace: str, labels: str | None = None) -> None:
        """Delete a namespace's objects of one kind."""
        query = {"labelSelector": labels} if labels else None
        self.http.request("DELETE", self.resource(kind).path(namespace), query=query)

    def resource(self, kind: str, group: str | None = None) -> Resource:
        """Find a kind; raise ``LookupError`` if the API server does not serve it."""
        return self.catalog.find(kind, group)

    def _apply(self, manifest: Mapping[str, Any], namespace: str | None) -> Object:
        resource, namespace = self._placed(manifest, namespace)
        path = resource.path(namespace, manifest["metadata"]["name"])
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return self._object("PATCH", path, body=manifest, content_type=APPLY, query=query)

    def _placed(self, manifest: Mapping[str, Any], namespace: str | None) -> tuple[Resource, str | None]:
        resource = self.resource(manifest["kind"], manifest["apiVersion"].rpartition("/")[0])
        return resource, manifest["metadata"].get("namespace", namespace or "default")

    def _object(self, method: str, path: str, **rest: Any) -> Object:
        answer = self.http.request(method, path, **rest)
        assert isinstance(answer, dict)
        return answer


def read_manifests(manifests: Manifests) -> list[Mapping[str, Any]]:
    """Read YAML text, a file or a folder of them; pass objects through."""
    if isinstance(manifests, Path):
        files = sorted(manifests.glob("*.yaml")) if manifests.is_dir() else [manifests]
        return [manifest for file in files for manifest in read_manifests(file.read_text(encoding="utf-8"))]
    if isinstance(manifests, str):
        return [manifest for manifest in yaml.load_all(manifests, yaml.CSafeLoader) if manifest]
    return [manifests] if isinstance(manifests, Mapping) else list(manifests)


def _discover(http: HttpApi) -> list[Resource]:
    return [
        Resource(
            group=group["metadata"].get("name", ""),
            version=version["version"],
            plural=found["resource"],
            kind=found["responseKind"]["kind"],
            is_namespaced=found["scope"] == "Namespaced",
        )
        for root in ("/api", "/apis")
        for group in http.request("GET", root, accept=DISCOVERY)["items"]
        for version in group["versions"]
        for found in version.get("resources", ())
        if "responseKind" in found
    ]
