"""The door that the fault tests watch: one route that answers by itself, a policy that demands a key, and the keys.

Nothing behind it can be away or slow, so every answer is the proxy's own decision: 200 for a key, 401 for none.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.objects import Object

NETWORKING = "networking.gloo.solo.io/v2"
SECURITY = "security.policy.gloo.solo.io/v2"
POLICY = "ExtAuthPolicy"
PATH = "/door"
HEADER = "api-key"
TOKEN_ENTRY = "provider-token"


class Door:
    """In a namespace of its own. ``key`` and ``revoke`` return when the API server has answered.

    ``beside``: another door, whose gateway serves this one too, at another ``path``.
    """

    def __init__(self, cluster: Cluster, *, policy: bool = True, path: str = PATH, beside: Door | None = None) -> None:
        self.cluster = cluster
        self._path = path
        self.namespace = cluster.namespace("door")
        self.labels = {"door": self.namespace}
        """Of the route and of the keys; what the policy selects."""
        self._gateway_namespace = beside.namespace if beside else self.namespace
        cluster.apply([*([] if beside else [self._gateway()]), self._routes()])
        if policy:
            self.apply_policy()

    def apply_policy(self) -> None:
        """Demand a key."""
        self.cluster.apply(self._policy(self.good()))

    def break_policy(self, config: Mapping[str, Any]) -> None:
        """Put another ``spec.config`` in the place of the good one, or make the policy with it."""
        self.cluster.apply(self._policy(config))

    def key(self, name: str, value: str, token: str = "") -> None:
        """Write a key's Secret, with a provider's token if there is one."""
        entries = {HEADER: value, **({TOKEN_ENTRY: token} if token else {})}
        self.cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": self.namespace, "labels": self.labels},
                "type": "extauth.solo.io/apikey",
                "data": {entry: base64.b64encode(text.encode()).decode() for entry, text in entries.items()},
            }
        )

    def revoke(self, name: str) -> None:
        """Delete a key's Secret."""
        self.cluster.delete("Secret", name, namespace=self.namespace)

    def unlabel(self, name: str) -> None:
        """Take a key's label away, so that the policy no longer selects it; the Secret stays."""
        labels = {"metadata": {"labels": dict.fromkeys(self.labels)}}
        self.cluster.patch("Secret", name, labels, namespace=self.namespace)

    def policy(self) -> Object:
        """The policy as the API server has it."""
        return self.cluster.get(POLICY, "door", namespace=self.namespace)

    def condition(self, name: str) -> Mapping[str, Any]:
        """One of the policy's conditions, empty while it is not there or about an older generation."""
        found = self.policy()
        for one in found.get("status", {}).get("conditions", ()):
            if one["type"] == name and one["observedGeneration"] == found["metadata"]["generation"]:
                assert isinstance(one, dict)
                return one
        return {}

    def good(self) -> dict[str, Any]:
        """The ``spec.config`` that demands a key and passes its token on."""
        storage = {"labelSelector": self.labels}
        auth = {
            "headerName": HEADER,
            "k8sSecretApikeyStorage": storage,
            "headersFromMetadataEntry": {"x-provider": {"name": TOKEN_ENTRY}},
        }
        return {"glooAuth": {"configs": [{"apiKeyAuth": auth}]}}

    def _policy(self, config: Mapping[str, Any]) -> dict[str, Any]:
        spec = {"applyToRoutes": [{"route": {"labels": self.labels}}], "config": config}
        return self._object(SECURITY, POLICY, spec)

    def _gateway(self) -> dict[str, Any]:
        return self._object(NETWORKING, "VirtualGateway", {"listeners": [{"http": {}, "port": {"number": 8081}}]})

    def _routes(self) -> dict[str, Any]:
        route = {
            "name": "door",
            "labels": self.labels,
            "matchers": [{"uri": {"prefix": self._path}}],
            "directResponse": {"status": 200, "body": "come in"},
        }
        gateways = [{"name": "door", "namespace": self._gateway_namespace}]
        return self._object(NETWORKING, "RouteTable", {"hosts": ["*"], "virtualGateways": gateways, "http": [route]})

    def _object(self, version: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {"name": "door", "namespace": self.namespace}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
