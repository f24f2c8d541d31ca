"""Values that differ from every default that shows in a manifest."""

from __future__ import annotations

from typing import Any

EVERY_VALUE: dict[str, Any] = {
    "image": {
        "repository": "registry.example/platform/wardgate",
        "tag": "1.2.3",
        "pullPolicy": "Always",
        "pullSecrets": ["registry-login"],
    },
    "configNamespace": {"name": "gateway-config"},
    "watchNamespaces": ["platform", "team-a"],
    "keyNamespaces": ["keys"],
    "tenancy": "isolated",
    "platformNamespaces": ["platform"],
    "requireAuth": True,
    "foreignGuards": "ignore",
    "gateways": "team=ai,stage=live",
    "opaqueKeySelector": "wardgate.dev/key=true",
    "writeStatus": False,
    "operator": {
        "replicas": 3,
        "settings": {"credential_bytes": 67108864, "cluster_domain": "example.local", "user_id_to_external": True},
        "podAnnotations": {"example.com/note": "operator"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
    "proxy": {
        "replicas": 4,
        "workers": 3,
        "ports": [
            {"name": "http", "port": 80, "targetPort": 18080},
            {"name": "plain", "port": 9000, "targetPort": 9000},
        ],
        "service": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "annotations": {"example.com/scheme": "internal"},
        },
        "maxConfigAge": 1000000,
        "shutdownDelaySeconds": 7,
        "drainSeconds": 120,
        "cacheSizeLimit": "256Mi",
        "settings": {"limits.body_bytes": 67108864, "timeouts.connect": 2.5},
        "podAnnotations": {"example.com/note": "proxy"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
    },
}
