"""Objects of tenants on a real API server, and a tenant's own identity there."""

from __future__ import annotations

import base64
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.objects import Objects

NETWORKING = "networking.gloo.solo.io/v2"
TOKEN = "sk-the-token-of-apps-3b9d"
CALLER = "key-of-a-caller-of-apps"
OWN_KEY = "key-made-by-evil"
PROVIDER, ELSEWHERE = "api.openai.com", "api-inference.huggingface.co"

Manifest = dict[str, Any]


def table(name: str, *routes: Manifest, **spec: Any) -> Manifest:
    return {
        "apiVersion": NETWORKING,
        "kind": "RouteTable",
        "metadata": {"name": name},
        "spec": {**spec, "http": routes},
    }


def route(path: str, service: str, *, labels: Manifest, namespace: str = "") -> Manifest:
    ref = {"name": service, **({"namespace": namespace} if namespace else {})}
    destination = {"kind": "EXTERNAL_SERVICE", "ref": ref, "port": {"number": 443}}
    forward = {"pathRewrite": f"/models{path}", "autoHostRewrite": True, "destinations": [destination]}
    return {"name": path.strip("/").replace("/", "-"), "labels": labels, "matchers": [{"uri": {"prefix": path}}],
            "forwardTo": forward}  # fmt: skip


def service(name: str, host: str, **spec: Any) -> Manifest:
    port = {"name": "https", "number": 443, "protocol": "HTTPS", "clientsideTls": {}}
    return {"apiVersion": NETWORKING, "kind": "ExternalService", "metadata": {"name": name},
            "spec": {"hosts": [host], "ports": [port], **spec}}  # fmt: skip


def delegation(*namespaces: str) -> Manifest:
    routes = [
        {"name": one, "matchers": [{"uri": {"prefix": f"/{name}"}}], "delegate": {"routeTables": [{"namespace": one}]}}
        for one in namespaces
        for name in [one.partition("-")[0]]
    ]
    return table("root", *routes, hosts=["*"], virtualGateways=[{"name": "gateway"}])


def ext_auth(name: str, *, storage: Manifest, labels: Manifest) -> Manifest:
    step = {"headerName": "api-key", "k8sSecretApikeyStorage": storage,
            "headersFromMetadataEntry": {"authorization": {"name": "token"}}}  # fmt: skip
    return {
        "apiVersion": "security.policy.gloo.solo.io/v2",
        "kind": "ExtAuthPolicy",
        "metadata": {"name": name},
        "spec": {
            "applyToRoutes": [{"route": {"labels": labels}}],
            "config": {"glooAuth": {"configs": [{"apiKeyAuth": step}]}},
        },
    }


def transformation(name: str, *, selectors: list[Manifest], phase: str = "postAuthz", **messages: Manifest) -> Manifest:
    """``messages``: ``request`` and ``response``."""
    return {
        "apiVersion": "trafficcontrol.policy.gloo.solo.io/v2",
        "kind": "TransformationPolicy",
        "metadata": {"name": name},
        "spec": {"applyToRoutes": selectors, "config": {"phase": {phase: {}}, **messages}},
    }


def key_secret(name: str, key: str, token: str, *, labels: Manifest, annotations: Manifest | None = None) -> Manifest:
    data = {"api-key": key, "token": token}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "extauth.solo.io/apikey",
        "metadata": {"name": name, "labels": labels, "annotations": annotations or {}},
        "data": {entry: base64.b64encode(value.encode()).decode() for entry, value in data.items()},
    }


def tenant_identity(cluster: Cluster, namespace: str) -> Objects:
    """A tenant that may do everything in its own namespace."""
    token = cluster.service_account_token(namespace, "tenant")
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "tenant"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "tenant", "namespace": namespace}],
    }
    cluster.apply(binding, namespace=namespace)
    user = f"system:serviceaccount:{namespace}:tenant"
    cluster.wait_until(
        lambda: cluster.can(user, "create", "Secret", namespace=namespace), seconds=10, what="the tenant has its rights"
    )
    return cluster.as_token(token)
