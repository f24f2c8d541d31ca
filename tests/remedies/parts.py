"""Objects and expectations that rows of several kinds share."""

from __future__ import annotations

from typing import Final

from tests.remedies.gateway import GUARDED, Changes, Manifest, base
from wardgate.settings import Settings

ISOLATED: Final = Settings(tenancy="isolated", platform_namespaces=frozenset({"a"}))
"""The gateway is the platform's; every other namespace is a tenant's."""
BELOW: Final = {"below": GUARDED}
"""The one route is that of the child."""
TO_LLM: Final = {"destinations": [{"kind": "EXTERNAL_SERVICE", "ref": {"name": "llm"}}]}


def made(kind: str, name: str, *, namespace: str = "a", **spec: object) -> Manifest:
    """An object of the networking group."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.gloo.solo.io/v2", "kind": kind, "metadata": metadata, "spec": spec}


def copy_of(name: str, **metadata: object) -> Manifest:
    """An object of the gateway under another name or in another namespace."""
    manifest = base()[name]
    return {**manifest, "metadata": {**manifest["metadata"], "name": f"{name}-2", **metadata}}


def prefix(path: str) -> Manifest:
    """A matcher."""
    return {"uri": {"prefix": path}}


def route(name: str, *paths: str, **fields: object) -> Manifest:
    """A route that the gateway's policy selects."""
    given = {"matchers": [prefix(path) for path in paths]} if paths else {}
    return {"name": name, "labels": {"route": "llm"}, **given, "forwardTo": TO_LLM, **fields}


def child(*routes: Manifest, namespace: str = "a", **spec: object) -> Manifest:
    """A table without hosts."""
    return made("RouteTable", "child", namespace=namespace, http=list(routes), **spec)


def delegating(path: str, **selector: object) -> Changes:
    """Let the one route delegate."""
    delegate = {"routeTables": [selector or {"name": "child"}]}
    return {"rt http 0": {"name": "up", "labels": {"route": "llm"}, "matchers": [prefix(path)], "delegate": delegate}}
